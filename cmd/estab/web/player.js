// Playing: the position among the steps, and its motion. Steps take about the
// same time on the screen whatever time passes between them in the run.
import { calm } from "./prefs.js";

export class Player {
  /** score: {count, dwell(k): ms that step k+1 takes}; moved(pos, fraction) draws. */
  constructor(moved) {
    this.moved = moved;
    this.score = { count: 0, dwell: () => 500 };
    this.pos = 0;
    this.speed = 1;
    this.playing = false;
    this.part = 0;
  }

  /** load takes a new score and keeps a position. */
  load(score, pos) {
    this.stop();
    this.score = score;
    this.go(pos);
  }

  go(pos) {
    this.pos = Math.max(0, Math.min(this.score.count, pos));
    this.part = 0;
    this.moved(this.pos, 0);
  }

  step(by) {
    this.stop();
    this.go(this.pos + by);
  }

  toggle() {
    this.playing ? this.stop() : this.play();
  }

  /** play runs on, from the beginning if it is at the end; until: stop there. */
  play(until = Infinity) {
    if (this.pos >= this.score.count) this.pos = 0;
    this.until = Math.min(until, this.score.count);
    this.playing = true;
    this.last = performance.now();
    this.frame = requestAnimationFrame((t) => this.tick(t));
    this.moved(this.pos, this.part);
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.moved(this.pos, calm() ? 0 : this.part);
  }

  tick(t) {
    let left = Math.min(t - this.last, 100) * this.speed;
    this.last = t;
    while (left > 0 && this.pos < this.until) {
      const dwell = this.score.dwell(this.pos),
        need = dwell * (1 - this.part);
      if (left < need) {
        this.part += left / dwell;
        break;
      }
      left -= need;
      this.part = 0;
      this.pos++;
    }
    if (this.pos >= this.until) {
      this.playing = false;
      this.part = 0;
    } else {
      this.frame = requestAnimationFrame((n) => this.tick(n));
    }
    this.moved(this.pos, calm() ? 0 : this.part);
  }
}

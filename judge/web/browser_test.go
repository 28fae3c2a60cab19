package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// house is what all tests share: the command, its server and the browser.
type house struct {
	url     string // of the page, without a slash at the end
	command string // estab
	browser context.Context
	close   []func()
}

var errSkip = errors.New("skipped")

var open = sync.OnceValues(func() (*house, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		return nil, fmt.Errorf("%w: no Chromium is installed", errSkip)
	}
	h := &house{}
	dir, err := os.MkdirTemp("", "estab-web")
	if err != nil {
		return nil, err
	}
	h.close = append(h.close, func() { os.RemoveAll(dir) })
	if err := h.serve(dir); err != nil {
		return h, err
	}
	return h, h.browse(path)
})

// serve builds the command and runs estab lab web.
func (h *house) serve(dir string) error {
	h.command = filepath.Join(dir, "estab")
	if out, err := exec.Command("go", "build", "-o", h.command, "estab/cmd/estab").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(h.command, "lab", "web", "--addr", "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	h.close = append(h.close, func() { cmd.Process.Kill(); cmd.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "http://") {
			h.url = strings.TrimSuffix(lines.Text(), "/")
			return nil
		}
	}
	return errors.New("estab lab web has not said where it serves")
}

func (h *house) browse(path string) error {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		// No name but ours can be resolved: a request to another host fails, and
		// is an error on the console.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.Flag("lang", "en-US"))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocated, end := chromedp.NewExecAllocator(context.Background(), options...)
	browser, leave := chromedp.NewContext(allocated)
	h.close = append(h.close, func() { chromedp.Cancel(browser); leave(); end() })
	h.browser = browser
	return chromedp.Do(browser, chromedp.Navigate("about:blank"))
}

func TestMain(m *testing.M) {
	code := m.Run()
	if opened {
		h, _ := open()
		for i := len(h.close) - 1; i >= 0; i-- {
			h.close[i]()
		}
	}
	os.Exit(code)
}

var opened bool

// shared opens what all tests share, or skips the test.
func shared(t *testing.T) *house {
	t.Helper()
	if testing.Short() {
		t.Skip("drives a browser")
	}
	h, err := open()
	if errors.Is(err, errSkip) {
		t.Skip(err)
	}
	opened = true
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// tab is a tab of its own memory in which nothing may go wrong.
type tab struct {
	t     *testing.T
	ctx   context.Context
	url   string
	mu    sync.Mutex
	wrong []string
	lax   bool // what goes wrong on the console is meant to
}

// patience is how long a condition may take to come true: far longer than it
// does, so that only what never happens fails.
const patience = 30 * time.Second

// newTab opens a tab of a size, in px, with nothing loaded.
func newTab(t *testing.T, width, height int64) *tab {
	t.Helper()
	h := shared(t)
	// The end of the test closes the tab; not t.Context, which ends before the
	// cleanup looks at the console.
	ctx, leave := chromedp.NewContext(h.browser, chromedp.WithNewBrowserContext())
	b := &tab{t: t, ctx: ctx, url: h.url}
	if err := chromedp.Listen(ctx, func(any) {}); err != nil {
		t.Fatal(err)
	}
	console := chromedp.Console(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range console {
			if err != nil {
				return
			}
			if m.Type == "error" || m.Type == "warning" || m.IsException() {
				b.mu.Lock()
				b.wrong = append(b.wrong, m.String())
				b.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		if !b.lax {
			b.must(`performance.getEntriesByType("resource").every((x) => new URL(x.name).host === location.host)`) // no request to any other host
		}
		b.eval(`console.debug("the end")`) // what was said before it has been heard
		leave()
		<-done
		if len(b.wrong) > 0 && !b.lax {
			t.Errorf("on the console:\n%s", strings.Join(b.wrong, "\n"))
		}
	})
	b.do(chromedp.EmulateViewport(width, height))
	return b
}

// page opens a tab at a place of the page and waits for the engine.
func page(t *testing.T, width int64, fragment string) *tab {
	t.Helper()
	b := newTab(t, width, 900)
	b.visit(b.url + "/" + fragment)
	return b
}

// visit loads an address and waits for the engine.
func (b *tab) visit(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
	b.until(`document.documentElement.dataset.ready === "yes"`)
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// eval runs JavaScript for what it does.
func (b *tab) eval(js string) { b.t.Helper(); value[any](b, "("+js+", null)") }

// value is that of an expression, which may be a promise.
func value[T any](b *tab, js string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s\n%v", js, err)
	}
	return v
}

// until waits for a condition.
func (b *tab) until(js string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool]("Boolean("+js+")", chromedp.WithPollingTimeout(patience))); err != nil {
		b.t.Fatalf("never came true: %s: %v\nnotice: %s", js, err, value[string](b, `document.querySelector("#notice")?.textContent ?? ""`))
	}
}

// must checks a condition that has to hold now.
func (b *tab) must(js string) {
	b.t.Helper()
	if !value[bool](b, "Boolean("+js+")") {
		b.t.Errorf("does not hold: %s", js)
	}
}

// enter follows a link of the address bar and waits for a scenario.
func (b *tab) enter(fragment, title string) {
	b.t.Helper()
	b.eval(fmt.Sprintf("location.hash = %q", fragment))
	b.until(fmt.Sprintf(`document.querySelector("h1")?.textContent === %q`, title))
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

func (b *tab) key(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// front is a server before that of the command, which may do something to a
// request: it returns true if it has answered.
func front(t *testing.T, h *house, do func(w http.ResponseWriter, r *http.Request) bool) string {
	to, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !do(w, r) {
			pass.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

package explore

import (
	"time"

	"estab/tcp"
)

// The users of the shipped worlds.
var (
	none = []Step(nil)
)

// Worlds are the shipped worlds, those with a planted fault last. Together
// they take every arrow of figure 5.
func Worlds() []World {
	return append(sound(), planted()...)
}

// WorldByName finds a shipped world.
func WorldByName(name string) (World, bool) {
	for _, w := range Worlds() {
		if w.Name == name {
			return w, true
		}
	}
	return World{}, false
}

// server serves each connection with these steps.
func server(steps ...Step) End { return End{Listens: true, Serve: steps} }

func client(steps ...Step) End { return End{Program: steps} }

// alive is an end with keep-alive, which finds out about a peer that is gone.
func alive(e End) End {
	e.Conn.KeepAlive = tcp.KeepAlive{On: true, Idle: 3 * time.Second, Interval: time.Second, Count: 2}
	return e
}

func sound() []World {
	return []World{
		{Name: "open", Title: "the three-way handshake (figure 6)", Stay: true,
			Ends: [2]End{client(Step{Do: Open}), server()},
			Lose: 3, Double: 3, Delay: 3},
		{Name: "simultaneous-open", Title: "both ends open at once (figure 7)",
			Ends: [2]End{client(Step{Do: Open}, Step{Do: Shutdown}), client(Step{Do: Open}, Step{Do: Early})},
			Lose: 1, Double: 1, Delay: 2, Resets: true, GiveUp: true},
		{Name: "close", Title: "A closes, then B (figure 12)",
			Ends: [2]End{client(Step{Do: Open}, Step{Do: Send, N: 1}, Step{Do: Shutdown}), server(Step{Do: Await}, Step{Do: Shutdown})},
			Lose: 1, Double: 1, Delay: 1},
	}
}

func planted() []World {
	return []World{}
}

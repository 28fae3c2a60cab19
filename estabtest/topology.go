package estabtest

import (
	"math"
	"slices"

	"estab/internal/netem"
)

// Switch is the name of what joins everybody who isn't behind a router, for
// [Network.SetLink].
const Switch = "switch"

// node is a place that packets come through: a host, a router, or the switch.
type node struct {
	name   string
	host   *Host
	behind bool    // a host that is linked to a router and so not on the switch
	out    []*pipe // the links that were given; none leads to the same node as another
	addr4  [4]byte
	addr6  [16]byte
}

// pipe is one direction of a way between two nodes that no other lies between.
type pipe struct {
	from, to *node
	path     path
	queue    netem.State // of what waits for the rate
	luck     luckOn      // of packets of no connection
	box      *middlebox
}

func (n *Network) newPipe(from, to *node, p path) *pipe {
	id := hashOf(from.name, to.name)
	q := &pipe{from: from, to: to, path: p, box: n.boxes[pairOf(from, to)], queue: netem.NewState(n.seed, id)}
	q.luck = luckOn{pipe: q, key: id + 1, state: netem.NewState(n.seed, id+1)}
	return q
}

// pair is two nodes, in whatever order.
type pair [2]string

func pairOf(a, b *node) pair {
	if a.name > b.name {
		a, b = b, a
	}
	return pair{a.name, b.name}
}

// Router adds a router. It is on the switch, as hosts are, until it is linked
// to hosts: these then reach everybody else through it. Routers may be linked
// to each other; packets take the way with the fewest links, and cross the
// switch only if no other way exists.
func (n *Network) Router(name string) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if name == "" || n.nodes[name] != nil {
		n.t.Fatalf("estabtest: Router: the name %q is taken", name)
	}
	n.addNode(name)
}

// addNode gives a name and addresses: 10.x.y.z and fd00::xyz, counted from 1.
func (n *Network) addNode(name string) *node {
	n.numbered++
	i := n.numbered
	v := &node{name: name, addr4: [4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}}
	v.addr6 = [16]byte{0: 0xfd, 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}
	n.nodes[name] = v
	n.routes = nil
	return v
}

// node finds a node by its name; a wrong name ends the test.
func (n *Network) node(call, name string) *node {
	n.t.Helper()
	v := n.nodes[name]
	if v == nil {
		n.t.Fatalf("estabtest: %s: no host or router is called %q: make it first, by Host or Router", call, name)
	}
	return v
}

// SetLink says what lies between a and b, in both directions, each by itself.
//
// Between two hosts on the switch it is the way from one to the other, which
// has been as [New] was told until then. Otherwise it is a cable: from a host
// to a router, which puts the host behind the router; from router to router;
// or from either to the [Switch], which all its traffic passes that crosses the
// switch, on top of what lies between the two that talk.
func (n *Network) SetLink(a, b string, l Link) {
	n.t.Helper()
	n.setPath("SetLink", a, b, l, true)
}

// SetPath is [Network.SetLink] for what goes from one to the other, and not
// for what comes back. A cable must have been laid before.
func (n *Network) SetPath(from, to string, l Link) {
	n.t.Helper()
	n.setPath("SetPath", from, to, l, false)
}

func (n *Network) setPath(call, from, to string, l Link, both bool) {
	n.t.Helper()
	p, err := l.compile()
	if err != nil {
		n.t.Fatalf("estabtest: %s: %v", call, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	a, b := n.node(call, from), n.node(call, to)
	if a == b {
		n.t.Fatalf("estabtest: %s: %s and %s are the same", call, from, to)
	}
	n.note("%s(%s, %s, %s)", call, from, to, brief(l))
	if n.onSwitch(a) && n.onSwitch(b) {
		n.meshPipe(a, b).path = p
		if both {
			n.meshPipe(b, a).path = p
		}
		return
	}
	if !both && a.linkTo(b) == nil {
		n.t.Fatalf("estabtest: %s: no link joins %s and %s; SetLink makes one", call, from, to)
	}
	n.cable(a, b, p)
	if both {
		n.cable(b, a, p)
	}
}

// onSwitch reports whether v is a host on the switch.
func (n *Network) onSwitch(v *node) bool { return v.host != nil && !v.behind }

// cable lays a cable, one direction of it, or changes it.
func (n *Network) cable(a, b *node, p path) {
	if old := a.linkTo(b); old != nil {
		old.path = p
		return
	}
	a.out = append(a.out, n.newPipe(a, b, p))
	if a.host != nil && b != n.hub {
		a.behind = true
	}
	n.routes = nil
}

func (v *node) linkTo(to *node) *pipe {
	for _, p := range v.out {
		if p.to == to {
			return p
		}
	}
	return nil
}

// meshPipe is the way from a to b across the switch.
func (n *Network) meshPipe(a, b *node) *pipe {
	k := [2]*node{a, b}
	p := n.mesh[k]
	if p == nil {
		p = n.newPipe(a, b, n.standard)
		n.mesh[k] = p
	}
	return p
}

// route is the way from a to b, or nil if there is none.
func (n *Network) route(a, b *node) []*pipe {
	k := [2]*node{a, b}
	if r, ok := n.routes[k]; ok {
		return r
	}
	var r []*pipe
	if n.alone(a) && n.alone(b) {
		r = n.pipes([]*node{a, n.hub, b})
	} else if via := n.search(a, b); via != nil {
		r = n.pipes(via)
	}
	if n.routes == nil {
		n.routes = map[[2]*node][]*pipe{}
	}
	n.routes[k] = r
	return r
}

// alone reports whether the switch is all that v is linked to.
func (n *Network) alone(v *node) bool {
	return n.onSwitch(v) && (len(v.out) == 0 || len(v.out) == 1 && v.out[0].to == n.hub)
}

// pipes are what lies between the nodes of a way.
func (n *Network) pipes(via []*node) []*pipe {
	var r []*pipe
	for i, v := range via[:len(via)-1] {
		next := via[i+1]
		if p := v.linkTo(next); p != nil {
			r = append(r, p)
		}
		if next == n.hub {
			r = append(r, n.meshPipe(v, via[i+2]))
		}
	}
	return r
}

// farSwitch makes every way without the switch shorter than any that crosses
// it.
const farSwitch = 1 << 20

// search finds the shortest way from a to b (Dijkstra's algorithm).
func (n *Network) search(a, b *node) []*node {
	dist := map[*node]int{a: 0}
	prev := map[*node]*node{}
	done := map[*node]bool{}
	for {
		var v *node
		least := math.MaxInt
		for _, u := range n.ordered() {
			if d, ok := dist[u]; ok && !done[u] && d < least {
				v, least = u, d
			}
		}
		if v == nil {
			return nil
		}
		if v == b {
			break
		}
		done[v] = true
		n.neighbours(v, func(u *node, cost int) {
			if d, ok := dist[u]; !ok || least+cost < d {
				if u == b || u.host == nil { // hosts don't forward
					dist[u], prev[u] = least+cost, v
				}
			}
		})
	}
	via := []*node{b}
	for v := b; v != a; {
		v = prev[v]
		via = append(via, v)
	}
	slices.Reverse(via)
	return via
}

// neighbours calls f for every node that v reaches in one step.
func (n *Network) neighbours(v *node, f func(u *node, cost int)) {
	if v == n.hub {
		for _, u := range n.ordered() {
			if u != v && !u.behind {
				f(u, 1)
			}
		}
		return
	}
	for _, p := range v.out {
		if p.to != n.hub {
			f(p.to, 1)
		}
	}
	if !v.behind {
		f(n.hub, farSwitch)
	}
}

// ordered are all nodes, by name.
func (n *Network) ordered() []*node {
	if len(n.sorted) != len(n.nodes) {
		n.sorted = n.sorted[:0]
		for _, v := range n.nodes {
			n.sorted = append(n.sorted, v)
		}
		slices.SortFunc(n.sorted, func(a, b *node) int {
			if a.name < b.name {
				return -1
			}
			return 1
		})
	}
	return n.sorted
}

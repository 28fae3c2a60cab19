package tcp

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What is spent on what, in bytes. A TIME-WAIT record has 46 and is 48, with the
// addresses 56 (IPv6: 80); a half-open one has and is 48, with them as much. The
// flow table takes 8 more for a slot, of which it keeps at least half in use
// once it has grown.
var layouts = []struct {
	of     reflect.Type
	fields string
}{
	{reflect.TypeFor[halfOpen](), "deadline 8, iss 4, irs 4, tsRecent 4, next 4, prev 4, wait 4, listener 2, local 2, remote 2, mss 2, wnd 2, zone 2, ackAt 2, opts 1, count 1"},
	{reflect.TypeFor[timeWait](), "deadline 8, sndNXT 4, rcvNXT 4, rcvWND 4, maxWND 4, tsRecent 4, next 4, prev 4, ackAt 4, local 2, remote 2, zone 2, opts 1, tos 1"},
	{reflect.TypeFor[pair4](), "local 4, remote 4"},
	{reflect.TypeFor[pair6](), "local 16, remote 16"},
	{reflect.TypeFor[sent](), "seq 4, end 4, at 8, marks 1, skip 4"},
	{reflect.TypeFor[span](), "l 4, r 4"},
	{reflect.TypeFor[timerRef](), "at 8, slot 4"},
}

// A field that is added to what there are a million of is added here too.
func TestLayouts(t *testing.T) {
	for _, l := range layouts {
		var fields []string
		for i := range l.of.NumField() {
			f := l.of.Field(i)
			fields = append(fields, fmt.Sprintf("%s %d", f.Name, f.Type.Size()))
		}
		if got := strings.Join(fields, ", "); got != l.fields {
			t.Errorf("%v:\n%s, not\n%s", l.of, got, l.fields)
		}
	}
}

// tcb is what a TCB spends on what, in bytes: 568, without padding, of the 576
// that the allocator gives with its own word.
var tcb = []struct {
	what, fields string
	most         uintptr
}{
	{"whose it is, and what became of it", "tuple flags slot gen tag egress state err softErr ready tos", 69},
	{"sequence space, windows, segment sizes (Figures 3 and 4)", "snd rcv rcvBuf sndBuf smss rmss pathMSS", 90},
	{"queues, which point to what is in them", "sendq rtx recvq ooo", 104},
	{"round trips, timestamps, activity", "srtt rttvar rto tsRecentAt sentAt heardAt tsRecent tsOffset retries probes backoff stuckFull maxRetries", 61},
	{"acknowledgements owed", "unacked dsack dupAcksDue quickAcks", 15},
	{"loss and congestion", "maxFlight usageSeq recover highSacked lossSeen lostHint rescue sacked lost retrans twice lastSACK cong alg ca dupAcks", 128},
	{"timers and what they are set to", "deadlines timerAt timerPos keepIdle keepInterval keepCount finWait2 userTimeout", 69},
	{"limits on what is answered", "challengeAt lastOOWAck", 16},
	{"growth of the receive buffer", "autoSince autoRTT autoArrived", 12},
	{"a pair that is reopened", "tw", 4},
}

// Every field of a TCB has its place in the budget.
func TestTCBBudget(t *testing.T) {
	if reflect.TypeFor[uintptr]().Size() != 8 {
		t.Skip("the budget is of machines of 64 bits")
	}
	of := reflect.TypeFor[conn]()
	counted := make(map[string]bool)
	for _, g := range tcb {
		sum := uintptr(0)
		for _, name := range strings.Fields(g.fields) {
			f, ok := of.FieldByName(name)
			if !ok || counted[name] {
				t.Errorf("%s: a TCB has no field %s, or it stands here twice", g.what, name)
				continue
			}
			counted[name] = true
			sum += f.Type.Size()
		}
		if t.Logf("%s: %d bytes", g.what, sum); sum > g.most {
			t.Errorf("%s: %d bytes, the budget is %d", g.what, sum, g.most)
		}
	}
	for i := range of.NumField() {
		if name := of.Field(i).Name; !counted[name] {
			t.Errorf("the field %s of a TCB is in no budget", name)
		}
	}
}

// pointers counts the pointers in a type.
func pointers(t reflect.Type) int {
	switch t.Kind() {
	case reflect.Struct:
		n := 0
		for i := range t.NumField() {
			n += pointers(t.Field(i).Type)
		}
		return n
	case reflect.Array:
		return t.Len() * pointers(t.Elem())
	case reflect.Pointer, reflect.Slice, reflect.String, reflect.Map, reflect.Chan, reflect.Func, reflect.Interface, reflect.UnsafePointer:
		return 1
	}
	return 0
}

// What there may be a million of has no pointers, so that the garbage
// collector doesn't look into it: the time that marking takes doesn't depend
// on how many connections wait or half exist.
func TestRecordsHoldNoPointers(t *testing.T) {
	for _, x := range []reflect.Type{
		reflect.TypeFor[halfRecord[pair4]](), reflect.TypeFor[halfRecord[pair6]](), reflect.TypeFor[waitRecord[pair4]](),
		reflect.TypeFor[waitRecord[pair6]](), reflect.TypeFor[slot](), reflect.TypeFor[source](), reflect.TypeFor[timerRef](),
		reflect.TypeFor[sent](), reflect.TypeFor[span](),
	} {
		if n := pointers(x); n != 0 {
			t.Errorf("%v holds %d pointers", x, n)
		}
	}
	if n := pointers(reflect.TypeFor[conn]()); n == 0 {
		t.Error("this test finds no pointers in a TCB, which has some")
	}
}

// And there are few objects to mark: records come in chunks, however many.
func TestRecordsAreFewObjects(t *testing.T) {
	const n = 100_000
	e := newEngine(t, Config{MaxTimeWait: n})
	before := heapObjects()
	for i := range uint32(n) {
		tup := testTuple4
		tup.LocalPort, tup.RemotePort = uint16(i), uint16(i>>16)
		w := timeWait{deadline: Time(time.Hour), local: tup.LocalPort, remote: tup.RemotePort}
		e.table.insert(e.Hash(&tup), kindWait4, e.wait.v4.add(&tup, w))
		e.wait.n++
	}
	got := heapObjects() - before
	runtime.KeepAlive(e)
	t.Logf("%d objects for %d records", got, n)
	if most := n>>e.wait.v4.shift() + 100; got > most {
		t.Errorf("%d objects for %d records, at most %d expected", got, n, most)
	}
}

func heapObjects() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapObjects)
}

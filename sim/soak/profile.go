package soak

// Profile says how bad the worlds are. Each field is in how many of a hundred
// worlds, connections or ends something is so.
type Profile struct {
	Name, Doc string

	Loss, Jitter, Reorder, Double, Corrupt, Rate, Swallow, Router int // worlds
	Partition, Crash, Hold, Forge                                 int // worlds
	Reuse                                                         int // worlds whose connections share a port
	Options                                                       int // ends that go without an option each
	Tiny                                                          int // ends with a tiny buffer or MSS
	Rude                                                          int // ends that abort, or close early
	Stall, Slow                                                   int // ends that stop reading, or read and write slowly
	Large                                                         int // ends that send much
}

// Profiles are the kinds of worlds; the first is the one taken if none is
// named.
func Profiles() []Profile {
	return []Profile{
		{Name: "mixed", Doc: "everything, in moderation",
			Loss: 40, Jitter: 50, Reorder: 25, Double: 20, Corrupt: 20, Rate: 15, Swallow: 5, Router: 20,
			Partition: 12, Crash: 10, Hold: 15, Forge: 20, Reuse: 20, Options: 20, Tiny: 15, Rude: 12, Stall: 10, Slow: 20, Large: 6},
		{Name: "calm", Doc: "a perfect path, orderly programs: nothing may go wrong",
			Options: 20, Tiny: 10, Stall: 5, Slow: 20, Large: 6, Reuse: 30},
		{Name: "lossy", Doc: "loss, reordering, duplication and corruption in every world",
			Loss: 100, Jitter: 100, Reorder: 70, Double: 70, Corrupt: 70, Hold: 30, Options: 30, Tiny: 10, Slow: 10, Large: 5},
		{Name: "crashes", Doc: "crashes, partitions, aborts",
			Loss: 30, Jitter: 50, Partition: 60, Crash: 70, Hold: 30, Reuse: 40, Options: 15, Rude: 30, Slow: 50, Stall: 10, Large: 5},
		{Name: "tiny", Doc: "windows, buffers and segments of a few bytes",
			Loss: 30, Jitter: 40, Reorder: 20, Options: 20, Tiny: 100, Stall: 40, Slow: 30, Rude: 5},
		{Name: "reuse", Doc: "the same pair of sockets again and again, and old segments",
			Loss: 30, Jitter: 60, Reorder: 30, Double: 60, Hold: 80, Reuse: 100, Options: 40, Rude: 30, Crash: 10},
		{Name: "path", Doc: "routers, narrow hops, black holes, slow links",
			Loss: 15, Jitter: 30, Rate: 60, Swallow: 40, Router: 100, Options: 15, Large: 15, Slow: 10},
		{Name: "forged", Doc: "a third party that forges segments",
			Loss: 20, Jitter: 50, Forge: 100, Hold: 20, Reuse: 20, Options: 20, Rude: 10, Slow: 50, Stall: 10},
	}
}

// ProfileByName finds a profile; the empty name is the first one's.
func ProfileByName(name string) (Profile, bool) {
	for i, p := range Profiles() {
		if p.Name == name || name == "" && i == 0 {
			return p, true
		}
	}
	return Profile{}, false
}

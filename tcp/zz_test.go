package tcp
import ("testing";"time";"fmt")
func TestZZ(t *testing.T){
 defer func(){ recover() }()
	for seed := range uint64(30) {
		c := newChurn(t, seed, Time(time.Hour), churnConfig(seed), churnConfig(seed))
		old:=c.lose
		c.lose=func(from *end, seg *Segment) bool {
			if c.now>Time(time.Hour)+Time(289*ms) && seed==6 && false { fmt.Println(c.now) }
			k, i := from.e.find(&seg.Tuple, from.e.Hash(&seg.Tuple))
			if k==kindConn { x:=from.e.conns[i]; 
			 lim,ok:=c.edge[0][x.snd.ISS]
			 if from==c.b && ok && lim.Less(seg.End()) { fmt.Printf("seed %d b una %d nxt %d wnd %d scale %d seq %d len %d end %d limit %d  WL1 %d WL2 %d state %v lost %d ca %d\n", seed, x.snd.UNA,x.snd.NXT,x.snd.WND,x.snd.scale,seg.Seq,seg.DataLen(),seg.End(),lim, x.snd.WL1, x.snd.WL2, x.state,x.lost,x.ca)
			  for j:=range x.rtx.len() { fmt.Println(*x.rtx.at(j)) }
			  }}
			return old(from,seg)
		}
		for range 400 {
			c.act()
		}
	}
}

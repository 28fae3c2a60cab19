package kernel

import (
	"fmt"
	"strconv"
	"testing"

	"estab"
)

// ECN is agreed on where the dialling end offers it and the other takes it, and both
// ends know: each setting of the kernel (net.ipv4.tcp_ecn) against each of estab's.
func TestECN(t *testing.T) {
	t.Parallel()
	const seen = 8 // TCPI_OPT_ECN
	for kernel := range 3 {
		for mode := -1; mode <= 1; mode++ {
			t.Run(fmt.Sprintf("kernel %d estab %d", kernel, mode), func(t *testing.T) {
				s := setting{cfg: estab.Config{ECN: mode}, sysctls: map[string]string{"net.ipv4.tcp_ecn": strconv.Itoa(kernel)}}
				both(t, s, func(w *world, e ends) {
					t := w.t
					deadline(t, e.kernel, e.estab)
					exchange(t, e, 200_000)
					i, err := e.estab.Info()
					if err != nil {
						t.Fatal(err)
					}
					want := mode == 1 && kernel != 0 // estab dialled
					if i.Passive {
						want = kernel == 1 && mode >= 0
					}
					if got := kernelInfo(t, e.kernel).Options&seen != 0; got != want || i.ECN != want {
						t.Errorf("ECN: the kernel says %v, estab %v, want %v", got, i.ECN, want)
					}
				})
			})
		}
	}
}

package estab

import "testing"

// A host whose user gives no secret draws one, and no two draw the same.
// Shows: RFC 6528 4.
func TestSecretIsDrawn(t *testing.T) {
	seen := map[[32]byte]bool{{}: true} // not zero either
	for range 4 {
		h, err := NewHost(Config{Shards: 1})
		if err != nil {
			t.Fatal(err)
		}
		if s := h.cfg.Secret; seen[s] {
			t.Errorf("the secret %x was drawn before, or is zero", s)
		} else {
			seen[s] = true
		}
		h.Close()
	}
}

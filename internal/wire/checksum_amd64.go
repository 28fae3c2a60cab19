package wire

import "golang.org/x/sys/cpu"

// hasVector: the processor has what checksum_amd64.s needs. The portable code
// does the same, and tests compare them.
var hasVector = cpu.X86.HasAVX2

// sumBlocks is the sum of the little-endian 32-bit words of n bytes at p; n is
// a multiple of block, at most 2^32. It can't overflow.
//
//go:noescape
func sumBlocks(p *byte, n int) uint64

// copySumBlocks is sumBlocks of the n bytes at src, which it copies to dst.
//
//go:noescape
func copySumBlocks(dst, src *byte, n int) uint64

//go:build !amd64

package wire

const hasVector = false

func sumBlocks(*byte, int) uint64 { panic("unreachable") }

func copySumBlocks(_, _ *byte, _ int) uint64 { panic("unreachable") }

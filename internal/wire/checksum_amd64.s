#include "textflag.h"

// The 32-bit words are added to four times four sums of 64 bits, those at even
// places (Y15 cuts them out) and those at odd places (shifted down) to the same
// ones: modulo 65535 a word counts the same wherever it stands. 128 bytes at a
// time, then 32.

#define SETUP \
	VPXOR    Y0, Y0, Y0    \
	VPXOR    Y1, Y1, Y1    \
	VPXOR    Y2, Y2, Y2    \
	VPXOR    Y3, Y3, Y3    \
	VPCMPEQD Y15, Y15, Y15 \
	VPSRLQ   $32, Y15, Y15

#define LOAD \
	VMOVDQU (SI), Y4   \
	VMOVDQU 32(SI), Y5 \
	VMOVDQU 64(SI), Y6 \
	VMOVDQU 96(SI), Y7

#define STORE \
	VMOVDQU Y4, (DI)   \
	VMOVDQU Y5, 32(DI) \
	VMOVDQU Y6, 64(DI) \
	VMOVDQU Y7, 96(DI)

#define ADD \
	VPSRLQ $32, Y4, Y8   \
	VPSRLQ $32, Y5, Y9   \
	VPSRLQ $32, Y6, Y10  \
	VPSRLQ $32, Y7, Y11  \
	VPAND  Y15, Y4, Y4   \
	VPAND  Y15, Y5, Y5   \
	VPAND  Y15, Y6, Y6   \
	VPAND  Y15, Y7, Y7   \
	VPADDQ Y4, Y0, Y0    \
	VPADDQ Y5, Y1, Y1    \
	VPADDQ Y6, Y2, Y2    \
	VPADDQ Y7, Y3, Y3    \
	VPADDQ Y8, Y0, Y0    \
	VPADDQ Y9, Y1, Y1    \
	VPADDQ Y10, Y2, Y2   \
	VPADDQ Y11, Y3, Y3

#define ADD1 \
	VPSRLQ $32, Y4, Y8 \
	VPAND  Y15, Y4, Y4 \
	VPADDQ Y4, Y0, Y0  \
	VPADDQ Y8, Y1, Y1

// RESULT leaves the sum of all sixteen in AX.
#define RESULT \
	VPADDQ       Y1, Y0, Y0  \
	VPADDQ       Y3, Y2, Y2  \
	VPADDQ       Y2, Y0, Y0  \
	VEXTRACTI128 $1, Y0, X1  \
	VPADDQ       X1, X0, X0  \
	VPSRLDQ      $8, X0, X1  \
	VPADDQ       X1, X0, X0  \
	VMOVQ        X0, AX      \
	VZEROUPPER

// func sumBlocks(p *byte, n int) uint64
TEXT ·sumBlocks(SB), NOSPLIT, $0-24
	MOVQ p+0(FP), SI
	MOVQ n+8(FP), CX
	SETUP
	SUBQ $128, CX
	JLT  sumRest

sum:
	LOAD
	ADD
	ADDQ $128, SI
	SUBQ $128, CX
	JGE  sum

sumRest:
	ADDQ $128, CX
	JEQ  sumEnd

sum1:
	VMOVDQU (SI), Y4
	ADD1
	ADDQ $32, SI
	SUBQ $32, CX
	JNE  sum1

sumEnd:
	RESULT
	MOVQ AX, ret+16(FP)
	RET

// func copySumBlocks(dst, src *byte, n int) uint64
TEXT ·copySumBlocks(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SETUP
	SUBQ $128, CX
	JLT  copyRest

copy:
	LOAD
	STORE
	ADD
	ADDQ $128, SI
	ADDQ $128, DI
	SUBQ $128, CX
	JGE  copy

copyRest:
	ADDQ $128, CX
	JEQ  copyEnd

copy1:
	VMOVDQU (SI), Y4
	VMOVDQU Y4, (DI)
	ADD1
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $32, CX
	JNE  copy1

copyEnd:
	RESULT
	MOVQ AX, ret+24(FP)
	RET

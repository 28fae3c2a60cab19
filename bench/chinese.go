package main

import "strings"

// chinese turns the table's words into Chinese; names, numbers and units stay.
// Longer phrases come before those that they begin with.
func chinese(table string) string { return phrases.Replace(table) }

var phrases = strings.NewReplacer(
	"| at least |", "| 目标 |",
	" (missed)", "（未达到）",
	"| failed |", "| 失败 |",
	"at least ", "不少于 ",
	"at most ", "不多于 ",

	"bulk, 1 connection, MTU 1500, checksums", "批量传输，1 条连接，MTU 1500，有校验和",
	"bulk, 64 connections, MTU 1500, checksums", "批量传输，64 条连接，MTU 1500，有校验和",
	"bulk, 64 KiB segments, checksums", "批量传输，64 KiB 的段，有校验和",
	"bulk, link vouches for its bytes", "批量传输，由链路担保字节无误",
	"request/response of 1 byte, 1 connection", "1 字节的请求与应答，1 条连接",
	"request/response of 1 byte, 64 connections", "1 字节的请求与应答，64 条连接",
	"connect, 1 byte each way, close, one after another", "建立连接，双向各 1 字节，关闭；逐个进行",
	"connect, 1 byte each way, close, 64 at once", "建立连接，双向各 1 字节，关闭；64 个同时进行",
	"beside 16 bulk flows: ", "与 16 条批量流并行：",
	"request of 1 byte, p99", "1 字节的请求，p99",
	"connections accepted and used", "接受并用过的连接",
	"slowest flow over fastest", "最慢的流与最快的流之比",
	"heap of an idle connection, one end", "空闲连接一端占用的堆",
	"heap of a TIME-WAIT record, table entry included", "TIME-WAIT 记录占用的堆（含表项）",
	"heap of a half-open connection, table entry included", "半开连接占用的堆（含表项）",
	"SYN flood beside 4 honest clients: ", "SYN 洪水，同时有 4 个正常客户端：",
	"SYNs answered", "得到应答的 SYN",
	"honest connections that failed", "失败的正常连接",
	"honest connection, p99", "正常连接，p99",
	"smallest program that opens a connection, over package net: ", "能打开一条连接的最小程序，与 net 包相比：",
	"stripped, MB more", "去掉符号后多出的 MB",
	"foreign packages beside x/sys", "x/sys 以外的外来包",
	"HTTP/1.1 GET of 1 KiB, keep-alive, 64 clients", "HTTP/1.1 GET，1 KiB，keep-alive，64 个客户端",

	"no checksums, packets of 64 KiB", "没有校验和，报文为 64 KiB",
	"a rendezvous has no packets", "只是交接，没有报文",
	"no way in for packets made by hand", "无法注入手工构造的报文",
	"not on the Go heap", "不在 Go 的堆上",
	"package net is what is compared with", "net 包就是比较的对象",
	"net/http wants to know addresses", "net/http 需要知道地址",

	"two stacks over link/pipe", "两个协议栈，经 link/pipe",
	"one stack and link/loopback", "一个协议栈，经 link/loopback",
	"SACK and RACK", "SACK 与 RACK",
	"SACK without RACK", "SACK，无 RACK",
	"its software GSO", "其软件 GSO",
	"fifo queueing", "fifo 排队",
	"receive buffer moderation", "接收缓冲自动调节",
	"SYN cookies always", "始终用 SYN cookie",
	"buffers ", "缓冲 ",
	" to ", " 至 ",
	"gVisor: ", "gVisor：",
	", ", "，",
)

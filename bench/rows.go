package main

import "time"

// targets are what estab is to be at least: so many times better than a
// subject.
type targets map[string]float64

func rows() []row {
	small, large, vouched := wiring{mtu: 1500}, wiring{mtu: 65535}, wiring{mtu: 65535, trusted: true}
	noLink := map[string]string{"loopback": "no checksums, packets of 64 KiB", "net.Pipe": "a rendezvous has no packets"}
	oneEnd := map[string]string{"loopback": "no way in for packets made by hand", "veth": "no way in for packets made by hand", "net.Pipe": "a rendezvous has no packets"}
	notOnHeap := map[string]string{"loopback": "not on the Go heap", "veth": "not on the Go heap", "net.Pipe": "a rendezvous has no packets"}
	gbs := func(t targets) []figure { return []figure{{unit: "GB/s", ratios: t}} }
	ks := func(t targets) []figure { return []figure{{unit: "k/s", ratios: t}} }
	bytes := func(bound float64) []figure { return []figure{{unit: "B", less: true, bound: bound}} }
	waiting := wiring{mtu: 1500, raw: true, msl: 10 * time.Minute}
	flooded := wiring{mtu: 1500, raw: true}
	return []row{
		{name: "bulk, 1 connection, MTU 1500, checksums", wire: small, measure: bulk(1), tries: forBulk, not: noLink, figures: gbs(targets{"gVisor": 3.5})},
		{name: "bulk, 64 connections, MTU 1500, checksums", wire: small, measure: bulk(64), tries: forBulk, not: noLink, figures: gbs(targets{"gVisor": 3.5})},
		{name: "bulk, 64 KiB segments, checksums", wire: large, measure: bulk(1), tries: forBulk, not: noLink, figures: gbs(targets{"gVisor": 3})},
		{name: "bulk, link vouches for its bytes", wire: vouched, measure: bulk(1), tries: forVouched, figures: gbs(targets{"gVisor": 2.5, "loopback": 2.5})},
		{name: "request/response of 1 byte, 1 connection", wire: small, measure: pingPong(1), tries: forTalk, figures: ks(targets{"gVisor": 16, "net.Pipe": 1})},
		{name: "request/response of 1 byte, 64 connections", wire: small, measure: pingPong(64), tries: forTalk, figures: ks(targets{"gVisor": 16, "net.Pipe": 1})},
		{name: "connect, 1 byte each way, close, one after another", wire: small, measure: connect(1), tries: forTalk, figures: ks(targets{"gVisor": 15})},
		{name: "connect, 1 byte each way, close, 64 at once", wire: small, measure: connect(64), tries: forTalk, figures: ks(targets{"gVisor": 12})},
		{name: "beside 16 bulk flows", wire: small, measure: fairness, tries: forBeside, not: map[string]string{"net.Pipe": "a rendezvous has no packets"}, figures: []figure{
			{name: "request of 1 byte, p99", unit: "us", less: true, ratios: targets{"gVisor": 20}},
			{name: "connections accepted and used", unit: "k/s"},
			{name: "slowest flow over fastest"}}},
		{name: "heap of an idle connection, one end", wire: small, measure: idleHeap, sized: true, figures: bytes(800),
			not: map[string]string{"loopback": "not on the Go heap", "veth": "not on the Go heap"}},
		{name: "heap of a TIME-WAIT record, table entry included, IPv4", wire: waiting, measure: timeWaitHeap(false), sized: true, not: notOnHeap, figures: bytes(72)},
		{name: "heap of a TIME-WAIT record, table entry included, IPv6", wire: waiting, measure: timeWaitHeap(true), sized: true, not: notOnHeap, figures: bytes(96)},
		{name: "heap of a half-open connection, table entry included, IPv4", wire: waiting, measure: halfOpenHeap(false), sized: true, not: notOnHeap, figures: bytes(72)},
		{name: "heap of a half-open connection, table entry included, IPv6", wire: waiting, measure: halfOpenHeap(true), sized: true, not: notOnHeap, figures: bytes(96)},
		{name: "SYN flood beside 4 honest clients", wire: flooded, measure: flood, tries: forFlood, not: oneEnd, figures: []figure{
			{name: "SYNs answered", unit: "k/s", bound: 1000},
			{name: "honest connection, p99", unit: "ms", less: true, bound: 10},
			{name: "honest connections that failed", less: true, zero: true}}},
		{name: "smallest program that opens a connection, over package net", wire: small, measure: programSize, not: noProgram, figures: []figure{
			{name: "stripped", unit: "MB more", less: true, bound: 1},
			{name: "foreign packages beside x/sys", less: true, zero: true}}},
		{name: "HTTP/1.1 GET of 1 KiB, keep-alive, 64 clients", wire: small, measure: httpGet, tries: forTalk, figures: ks(targets{"gVisor": 2}),
			not: map[string]string{"net.Pipe": "net/http wants to know addresses"}},
	}
}

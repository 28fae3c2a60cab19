// Command wasm is the lab's engine for a browser. Built with GOOS=js
// GOARCH=wasm it gives JavaScript one object, estab, whose functions take and
// return JSON; package internal/lab/page says what they mean.
package main

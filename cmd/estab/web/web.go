// Package web holds the files of the lab's page.
package web

import "embed"

// Files are the page's own files. The engine in WebAssembly and the
// toolchain's wasm_exec.js, which belong beside them, are built when they are
// needed.
//
//go:embed *.html *.css *.js *.svg
var Files embed.FS

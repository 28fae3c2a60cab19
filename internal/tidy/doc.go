// Package tidy holds no code, only tests: they keep the rules about the tree
// that a compiler doesn't. What each package may import, what the engine must
// not contain, what the root module may require. docs/adr/ and ARCHITECTURE.md
// say why.
package tidy

// Package recipes holds the recipes of docs/testing.md that need other modules
// than the standard library's: gRPC, WebSocket and database/sql over a network
// of package estabtest, in virtual time; and, in projects_test.go, the tests of
// other projects over such a network.
package recipes

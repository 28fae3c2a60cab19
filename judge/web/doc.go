// Package web judges the lab's page in Chromium: a reader's clicks and keys,
// and what comes of them. The page is served by the command itself, as
// somebody with a fresh clone would serve it.
//
// Where there is no Chromium the tests are skipped and say so. All of them
// share one browser and one server; each has its own tab with its own memory.
package web

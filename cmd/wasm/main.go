//go:build js && wasm

package main

import (
	"syscall/js"

	"estab/internal/lab/page"
)

func main() {
	s := &page.Session{}
	js.Global().Set("estab", js.ValueOf(map[string]any{
		"catalog": text(func([]js.Value) string { return page.CatalogJSON() }),
		"run":     text(func(a []js.Value) string { return s.RunJSON(a[0].String()) }),
		"parse":   text(func(a []js.Value) string { return page.ParseJSON(a[0].String()) }),
		"format":  text(func(a []js.Value) string { return page.FormatJSON(a[0].String()) }),
		"export":  js.FuncOf(func(_ js.Value, a []js.Value) any { return export(s, a) }),
	}))
	select {} // the functions live on
}

func text(f func(args []js.Value) string) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any { return f(args) })
}

// export returns {head, data}: the JSON of what the file is, or of what is
// wrong, and a Uint8Array.
func export(s *page.Session, a []js.Value) any {
	head, data := s.ExportJSON(a[0].String(), a[1].String())
	bytes := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(bytes, data)
	return js.ValueOf(map[string]any{"head": head, "data": bytes})
}

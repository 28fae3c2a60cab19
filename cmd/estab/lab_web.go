package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"estab/internal/lab"
	"estab/internal/lab/page"
)

// webOptions are the flags of estab lab web and estab lab show.
type webOptions struct {
	addr, out, dev string
	params         *labParams // of show
	lang           language
	fragment       string // what the page opens at
	open           bool
}

// webAddr is where the page is served unless told otherwise.
const webAddr = "127.0.0.1:8093"

func newLabWebCmd() *cobra.Command {
	o := webOptions{}
	cmd := &cobra.Command{
		Use:   "web",
		Short: "Serve the lab as a page, with the engine in the browser",
		Long: `web serves one page that shows every scenario and lets you change it: lose a
segment, edit the programs, move the clock. The engine that computes what you see
is this one, compiled to WebAssembly from this tree when it is first needed; the
page asks no other host for anything.

With --out it writes the page as static files, which any web server can serve.`,
		Example: "  estab lab web\n  estab lab web --addr 127.0.0.1:9000\n  estab lab web --out public",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runWeb(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.out, "out", "", "write the page into this directory instead of serving it")
	return cmd
}

func (o *webOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.addr, "addr", webAddr, "address to serve at; port 0: any free one")
	f.StringVar(&o.dev, "dev", "", "serve the page's own files from this directory")
	f.MarkHidden("dev")
}

func newLabShowCmd() *cobra.Command {
	o := webOptions{open: true}
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Open the page at a scenario",
		Long: `show serves the page like estab lab web and opens a browser at a scenario. What
estab lab run can change about it, show can too.`,
		Example: "  estab lab show stale-syn\n  estab lab show last-ack-lost --msl 1s --lang zh",
		Args:    oneArg("which scenario? estab lab list names them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.at(args[0]); err != nil {
				return err
			}
			return runWeb(cmd.Context(), &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	o.flags(cmd)
	cmd.Flags().Var(&o.lang, "lang", "language of the page: en or zh (default: the browser's)")
	o.params = newLabParams(cmd.Flags())
	return cmd
}

// at sets what the page opens at.
func (o *webOptions) at(name string) error {
	if _, ok := lab.Find(name); !ok {
		return usagef("unknown scenario %q: did you mean %s?", name, lab.Nearest(name))
	}
	p, err := o.params.read()
	if err != nil {
		return err
	}
	x, err := page.NewExperiment(name, p)
	if err != nil {
		return usageError{err}
	}
	x.Lang = lab.Lang(o.lang)
	o.fragment = "#" + x.Link()
	return nil
}

func runWeb(ctx context.Context, o *webOptions, stdout, stderr io.Writer) error {
	if o.out != "" {
		return writeSite(ctx, o, stdout, stderr)
	}
	var dev string
	if o.dev != "" {
		if info, err := os.Stat(o.dev); err != nil || !info.IsDir() {
			return usagef("--dev %s: not a directory", o.dev)
		}
		dev = o.dev
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return listenError(o.addr, err)
	}
	defer listener.Close()
	site, err := buildSite(ctx, dev, terminalOf(stdout, stderr, "auto"))
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String() + "/" + o.fragment
	fmt.Fprintln(stdout, url)
	if o.open {
		if err := browse(url); err != nil {
			fmt.Fprintf(stderr, "no browser could be opened (%v): open the address above\n", err)
		}
	}
	server := &http.Server{Handler: site, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil // whoever interrupts it has seen enough
}

func listenError(addr string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return usagef("--addr %s: the port is in use; --addr 127.0.0.1:0 takes a free one", addr)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return usagef("--addr %s: %v", addr, err)
}

// browse opens a browser.
func browse(url string) error {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return fmt.Errorf("there is no %s", name)
	}
	cmd := exec.Command(path, args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	go cmd.Wait()
	return nil
}

package main

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"estab/script"
)

func newScriptFmtCmd() *cobra.Command {
	write := false
	cmd := &cobra.Command{
		Use:   "fmt FILE...",
		Short: "Format scripts canonically",
		Long: `fmt prints scripts in their one canonical form: times in a column, flags and
options in one order, comments where they were. With -w it writes the files
instead, if that changes them.`,
		Example: "  estab script fmt close.pkt\n  estab script fmt -w testdata",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("name a script, or a folder of scripts")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := script.Find(args...)
			if err != nil {
				return usageError{err}
			}
			for _, f := range files {
				if err := formatScript(f, write, cmd.OutOrStdout()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&write, "write", "w", false, "write the files instead of printing them")
	return cmd
}

func formatScript(path string, write bool, stdout io.Writer) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return usageError{err}
	}
	s, err := script.Parse(path, src, script.ParseOptions{})
	var e *script.Error
	switch {
	case errors.As(err, &e):
		return usageError{errors.New(e.Head())}
	case err != nil:
		return usageError{err}
	}
	out := script.Print(s)
	if !write {
		_, err = stdout.Write(out)
		return err
	}
	if bytes.Equal(src, out) {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, out, info.Mode().Perm())
}

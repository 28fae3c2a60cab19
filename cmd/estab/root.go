package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "estab",
		Short: "TCP you can embed, watch and trust",
		Long: `estab is TCP in Go: a whole network stack that lives inside a program. This
command shows what it does.`,
		Example: "  estab demo\n  estab demo --loss 5% --delay 20ms --pcap demo.pcapng",

		SilenceErrors: true, SilenceUsage: true,
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.SetHelpCommand(newHelpCmd())
	root.AddCommand(newDemoCmd(), newRFCCmd(), newScriptCmd(), newLabCmd(), newServeCmd(), newFetchCmd())
	return root
}

// unknownCommand names the commands that may have been meant.
func unknownCommand(cmd *cobra.Command, name string) error {
	near := cmd.SuggestionsFor(name)
	if len(near) == 0 {
		return usagef("unknown command %q", name)
	}
	return usagef("unknown command %q: did you mean %s?", name, strings.Join(near, " or "))
}

func newHelpCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "help [command]",
		Short:   "Say what a command does",
		Example: "  estab help demo",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args[0])
			}
			return found.Help()
		},
	}
}

// oneArg takes exactly one argument; missing says which that would be.
func oneArg(missing string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return usagef("%s", missing)
		case 1:
			return nil
		}
		return usagef("unexpected argument %q", args[1])
	}
}

// noArgs refuses arguments.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q", args[0])
	}
	return nil
}

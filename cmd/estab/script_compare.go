package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"estab/script"
)

// jsonComparisons is the JSON of estab script --compare.
type jsonComparisons struct {
	Same          int                 `json:"same"`
	Different     int                 `json:"different"`
	NotApplicable int                 `json:"notApplicable"`
	Scripts       []script.Comparison `json:"scripts"`
	Errors        []string            `json:"errors,omitempty"` // of files that are no scripts
}

// compareScripts plays each script on estab and on the kernel, and prints where
// the two differ.
func compareScripts(ctx context.Context, o *scriptOptions, files []string, so script.Options, stdout io.Writer) error {
	lists := make([][]script.Comparison, len(files))
	errs := make([]error, len(files))
	err := inParallel(ctx, o.jobs, len(files), func(i int) {
		lists[i], errs[i] = script.CompareFile(files[i], so)
		o.bar.add()
	})
	o.bar.clear()
	if err != nil {
		return err
	}
	j := jsonComparisons{Scripts: []script.Comparison{}}
	var bad error
	for i, err := range errs {
		if err != nil {
			if !o.json {
				fmt.Fprintf(stdout, "%v\n\n", err)
			}
			first := (&scriptResult{err: err}).badInput()
			j.Errors = append(j.Errors, first.Error())
			bad = errors.Join(bad, first)
		}
		for _, c := range lists[i] {
			switch {
			case c.Reason != "":
				j.NotApplicable++
			case len(c.Differences) > 0:
				j.Different++
			default:
				j.Same++
			}
			j.Scripts = append(j.Scripts, c)
		}
	}
	out := bufio.NewWriter(stdout)
	if o.json {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(j); err != nil {
			return err
		}
	} else {
		j.print(out, o.verbose)
	}
	switch err := out.Flush(); {
	case err != nil:
		return err
	case bad != nil:
		return usageError{bad}
	case j.Different > 0:
		return fmt.Errorf("%d of %d differ", j.Different, j.Different+j.Same)
	}
	return nil
}

// print tells of all in which the two differ; also of the others if verbose.
func (j *jsonComparisons) print(out io.Writer, verbose bool) {
	for i := range j.Scripts {
		c := &j.Scripts[i]
		if c.Reason != "" || len(c.Differences) > 0 || verbose {
			fmt.Fprintf(out, "%s\n", c)
			if len(c.Differences) > 0 {
				fmt.Fprintln(out)
			}
		}
	}
	fmt.Fprintf(out, "%d the same, %d different, %d not applicable\n", j.Same, j.Different, j.NotApplicable)
}

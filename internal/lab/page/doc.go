// Package page is what the lab's page knows: an experiment goes in, everything
// that the page shows of its run comes out. It is the same natively and in
// WebAssembly; the page draws and computes nothing.
//
// An [Experiment] is a scenario with what was changed about it. Its text form
// ([Experiment.Link], [ParseLink]) stands in the address bar.
//
// To read first: package lab.
package page

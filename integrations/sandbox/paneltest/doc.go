// Package paneltest is what the tests of panels' adapters and sandboxes share: a
// clock that only tests move, a network on which single calls go wrong, a caller
// that builds a service as the job worker does, and a bench that calls a sandbox
// without a network.
package paneltest

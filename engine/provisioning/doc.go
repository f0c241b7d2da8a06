// Package provisioning holds the rules of building and running services: the
// service lifecycle, the kinds of jobs and when they are tried again, and the
// small interfaces that a platform's adapter implements. It owns no storage, no
// clock and no network.
package provisioning

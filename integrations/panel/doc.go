// Package panel is what the adapters of hosting panels share: one way to make a
// call and to judge its answer, errors that carry the engine's class, tolerant
// reading of JSON, and the bookkeeping of calls whose answer was lost. It knows no
// vendor; an adapter says in a Caller how its panel is addressed and what its
// refusals mean.
//
// Two rules hold for every adapter that uses it. What did not arrive whole says
// nothing: a call that may have changed something then has an unknown outcome. And
// no address, key or password of a request appears in an error.
package panel

// Package risk looks at an order for signs of fraud: a throw-away mail address,
// countries that do not fit, too many orders, cards or accounts in an hour, and
// what staff want to see before it is delivered. It only says whether a person
// should look first; it refuses nothing. It owns no storage and no clock: the
// caller counts and passes facts.
package risk

// Package tax decides which tax a sale bears and computes it. Decide turns the
// seller's policy, the buyer and the table of rates into a Treatment; Compute
// applies treatments to the lines of one document; Split.Credit takes a part of
// a line back. Everything a document needs later is in the values they return,
// with json tags, so that a stored document never looks at today's rates.
//
// The package knows the VAT area of the European Union, since an id there moves
// the debt to the buyer. Every other place is what the table of rates says.
// Rates are parts per million: 190000 is 19 %. Amounts are whole minor units.
//
// It does not own prices, periods or documents (engine/billing), the register
// of VAT ids (integrations/vies), nor their format (engine/tax/vatid).
package tax

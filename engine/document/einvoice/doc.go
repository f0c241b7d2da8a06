// Package einvoice writes invoices and credit notes as XML that machines read:
// the semantic model of EN 16931-1 in the syntax of UBL 2.1, CustomizationID
// "urn:cen.eu:en16931:2017", and checks such files against the norm's business
// rules. It owns the mapping and the rules; the numbers come in frozen, and it
// computes none but what the norm wants said beside them: unit prices, and the
// sums of line and allowance amounts. The same input gives the same bytes.
//
// Render checks what it has written, so a document that breaks a rule is
// refused with the rule's id and never leaves the house. What the norm cannot
// say is refused too:
//
//   - More than two decimals of an amount (BR-DEC-*). Amounts of KWD and other
//     currencies of three decimals pass where the third is zero; rounding them
//     would make another invoice than the one that was issued.
//   - A line with two taxes, such as GST and QST: a line has one category and
//     one rate, so callers have nothing to fill in.
//   - Lines out of scope of VAT beside others (BR-O-11).
//
// Taxes rounded per line can differ from base × rate. The norm's text wants
// them equal (BR-CO-17, BR-S-09); its published validation accepts a difference
// below one whole unit of the currency, and so does Check. The amounts written
// are the issued ones; a group of some two hundred lines may come near the
// bound and is then refused.
package einvoice

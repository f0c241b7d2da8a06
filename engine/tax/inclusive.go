package tax

// factor is what a treatment's taxes add to a net of one, in parts of whole: a
// compound tax is a share of the first one too.
type factor struct {
	each [Levels]uint64
	sum  uint64
}

func factorOf(components []Component) factor {
	var f factor
	for i, c := range components {
		f.each[i] = uint64(c.PPM) * uint64(MaxPPM)
		if c.Compound {
			f.each[i] += uint64(c.PPM) * (f.sum / uint64(MaxPPM))
		}
		f.sum += f.each[i]
	}
	return f
}

// inclusive is the share of a gross amount that is tax.
func (f factor) inclusive() ratio { return ratio{f.sum, whole + f.sum} }

// part is the share of a gross amount that is one of the taxes.
func (f factor) part(i int) ratio { return ratio{f.each[i], whole + f.sum} }

// extract takes the taxes out of gross lines, group by group: first all of them
// together, so that net and tax make the gross, then each for itself.
func (s *sheet) extract(groups [][]int) {
	for _, group := range groups {
		components := s.components(group[0])
		f := factorOf(components)
		gross := make([]int64, len(group))
		for j, i := range group {
			gross[j] = s.net[i]
		}
		turned := mirrored(gross)
		gross = turn(gross, turned)
		sums := f.inclusive().spread(gross)
		first := f.first(len(components), gross, sums)
		sums, first = turn(sums, turned), turn(first, turned)
		for j, i := range group {
			s.net[i] -= sums[j]
			s.taxes[i][0].tax, s.taxes[i][1].tax = first[j], sums[j]-first[j]
			for level, c := range components {
				s.taxes[i][level].base = s.base(i, level, c)
			}
		}
	}
}

// first is the first tax of each line; the second is what is left of the line's
// sum. Both stay within one minor unit of their exact share, of a line and of
// the document.
func (f factor) first(components int, gross, sums []int64) []int64 {
	if components < Levels {
		return sums
	}
	one, two := f.part(0), f.part(1)
	var allGross, allSums int64
	spans := make([]span, len(gross))
	for j := range gross {
		allGross += gross[j]
		allSums += sums[j]
		_, rest := one.divide(gross[j])
		spans[j] = between(one, two, gross[j], sums[j])
		spans[j].rest = rest
	}
	all := between(one, two, allGross, allSums)
	return settle(min(max(one.round(allGross), all.low), all.high), spans)
}

// between is what the first of two taxes may be so that both are rounded shares
// of gross and make the sum.
func between(one, two ratio, gross, sum int64) span {
	oneFloor, oneCeil := one.bounds(gross)
	twoFloor, twoCeil := two.bounds(gross)
	return span{low: max(oneFloor, sum-twoCeil), high: min(oneCeil, sum-twoFloor)}
}

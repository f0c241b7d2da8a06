package collections

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	idDigits = "0123456789abcdefghijklmnopqrstuvwxyz"
	idLength = 15 // what PocketBase's id fields hold
)

// drawn counts the ids of this process.
var drawn atomic.Uint64

// NewID makes an id for a row that is written in bulk: the minute, the number of
// the id in this process, and chance. Ids that are made one after the other sort
// so, and indexes over them grow at their end, where the last page is still in
// memory, instead of everywhere. Like PocketBase's own, it is no secret.
func NewID(now time.Time) string {
	id := strings.Builder{}
	id.Grow(idLength)
	base36(&id, uint64(max(now.Unix()/60, 0)), 5) // until the year 2084
	base36(&id, drawn.Add(1), 5)
	base36(&id, rand.Uint64(), idLength-10)
	return id.String()
}

// base36 writes the last so many digits of n.
func base36(to *strings.Builder, n uint64, digits int) {
	text := strconv.FormatUint(n, len(idDigits))
	for range digits - len(text) {
		to.WriteByte('0')
	}
	to.WriteString(text[max(0, len(text)-digits):])
}

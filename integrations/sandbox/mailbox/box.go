// Package mailbox is an SMTP server that delivers nothing: it keeps what it
// receives in memory and shows it on a page and as JSON, for tests and the demo.
// It accepts every sender, recipient and password, so it belongs on loopback
// only. Faults make it refuse, wait, or lose its answer.
package mailbox

import (
	"strconv"
	"sync"
	"time"
)

// Limits of a Box; the oldest messages go first.
const (
	MaxMessages     = 1000
	MaxMessageBytes = 25 << 20  // of one message; more is refused with 552
	maxTotalBytes   = 256 << 20 // of all messages kept
)

// Options configure a Box. The zero value works.
type Options struct {
	Now func() time.Time // stamps messages; nil is time.Now
}

// Box keeps received messages. Safe for concurrent use.
type Box struct {
	now func() time.Time

	mu       sync.Mutex // guards what follows
	messages []Message  // oldest first
	bytes    int
	lastID   int
	faults   []Fault
}

// New returns an empty Box.
func New(o Options) *Box {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Box{now: o.Now}
}

// Message is a received mail. Its slices are shared and must not be changed.
type Message struct {
	ID          string       `json:"id"`
	From        string       `json:"from"` // of the envelope
	To          []string     `json:"to"`   // of the envelope, so Bcc is in it
	Subject     string       `json:"subject"`
	Text        string       `json:"text"`
	HTML        string       `json:"html"`
	Links       []string     `json:"links"` // http(s) addresses, each once
	Attachments []Attachment `json:"attachments"`
	Headers     []Header     `json:"headers"` // in their order, decoded
	At          time.Time    `json:"at"`
	Problem     string       `json:"problem,omitempty"` // why it could not be read in full
	Raw         []byte       `json:"-"`
}

// Header is one header field.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Attachment is a part that is neither the text nor the HTML of the mail.
type Attachment struct {
	Name    string `json:"name"`
	Size    int    `json:"size"` // bytes, decoded
	Type    string `json:"type"` // media type as declared
	Content []byte `json:"-"`
}

// Messages returns what was received and is still kept, oldest first.
func (b *Box) Messages() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Message{}, b.messages...)
}

// Message returns one message by id.
func (b *Box) Message(id string) (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.messages {
		if m.ID == id {
			return m, true
		}
	}
	return Message{}, false
}

// Clear forgets all messages. Ids are not used again.
func (b *Box) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages, b.bytes = nil, 0
}

// keep parses and stores a message. What cannot be parsed is stored all the
// same, with the problem named.
func (b *Box) keep(from string, to []string, raw []byte) {
	m := parse(raw)
	m.From, m.To, m.Raw, m.At = from, to, raw, b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lastID++
	m.ID = strconv.Itoa(b.lastID)
	b.messages = append(b.messages, m)
	b.bytes += len(raw)
	for len(b.messages) > MaxMessages || (b.bytes > maxTotalBytes && len(b.messages) > 1) {
		b.bytes -= len(b.messages[0].Raw)
		b.messages[0] = Message{} // release its memory
		b.messages = b.messages[1:]
	}
}

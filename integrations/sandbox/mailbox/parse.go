package mailbox

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
)

// Limits of what is taken apart; a message beyond them is shown with a problem.
const (
	maxParts = 100
	maxDepth = 8
)

var (
	textLink = regexp.MustCompile(`https?://[^\s<>"'\x60]+`)
	hrefLink = regexp.MustCompile(`(?i)\bhref\s*=\s*["'](https?://[^"']+)["']`)
	words    = mime.WordDecoder{}
)

// parser takes one message apart (RFC 5322, RFC 2045 to 2047).
type parser struct {
	m        Message
	parts    int
	problems []string
}

// parse reads a message as far as it can be read; what stands in the way is in
// Problem, and the text is then the raw body rather than nothing.
func parse(raw []byte) Message {
	p := &parser{m: Message{Links: []string{}, Attachments: []Attachment{}, Headers: []Header{}}}
	head, body := splitHead(raw)
	fields := p.headers(head)
	p.m.Subject = decodeWords(fields.Get("Subject"))
	p.part(fields, bytes.NewReader(body), 0)
	if len(p.problems) > 0 && p.m.Text == "" && p.m.HTML == "" {
		p.m.Text = strings.ToValidUTF8(string(body), "\ufffd")
	}
	p.m.Links = links(p.m.Text, p.m.HTML)
	p.m.Problem = strings.Join(p.problems, "; ")
	return p.m
}

func (p *parser) problem(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// splitHead cuts a message at its first empty line.
func splitHead(raw []byte) (head, body []byte) {
	at := bytes.Index(raw, []byte("\r\n\r\n"))
	if lf := bytes.Index(raw, []byte("\n\n")); at < 0 || (lf >= 0 && lf < at) {
		if lf < 0 {
			return raw, nil
		}
		return raw[:lf], raw[lf+2:]
	}
	return raw[:at], raw[at+4:]
}

// headers reads the header fields, in their order and unfolded. A line that is
// no field is a problem, and the fields around it are still read.
func (p *parser) headers(head []byte) textproto.MIMEHeader {
	fields := textproto.MIMEHeader{}
	var lines []string
	for _, line := range strings.Split(strings.ReplaceAll(string(head), "\r\n", "\n"), "\n") {
		if len(lines) > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			lines[len(lines)-1] += " " + strings.TrimSpace(line)
			continue
		}
		lines = append(lines, line)
	}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			p.problem("header line %.60q is no field", line)
			continue
		}
		value = strings.TrimSpace(value)
		fields.Add(name, value)
		p.m.Headers = append(p.m.Headers, Header{name, decodeWords(value)})
	}
	return fields
}

// part reads one part of the message, or all of it.
func (p *parser) part(fields textproto.MIMEHeader, body io.Reader, depth int) {
	if p.parts++; p.parts > maxParts || depth > maxDepth {
		p.problem("more than %d parts or %d levels; the rest is left out", maxParts, maxDepth)
		return
	}
	mediaType, params, err := mime.ParseMediaType(fields.Get("Content-Type"))
	switch {
	case fields.Get("Content-Type") == "":
		mediaType = "text/plain"
	case err != nil:
		p.problem("content type %.60q: %s", fields.Get("Content-Type"), err)
		mediaType = "text/plain"
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		p.multipart(body, params["boundary"], depth)
		return
	}
	content, err := decode(fields.Get("Content-Transfer-Encoding"), body)
	if err != nil {
		p.problem("part %d: %s", p.parts, err)
	}
	p.leaf(fields, mediaType, params, content)
}

func (p *parser) multipart(body io.Reader, boundary string, depth int) {
	if boundary == "" {
		p.problem("multipart without a boundary")
		return
	}
	r := multipart.NewReader(body, boundary)
	for p.parts <= maxParts {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			p.problem("multipart: %s", err)
			return
		}
		p.part(part.Header, part, depth+1)
	}
}

// leaf files a part as text, HTML or attachment.
func (p *parser) leaf(fields textproto.MIMEHeader, mediaType string, params map[string]string, content []byte) {
	disposition, extra, _ := mime.ParseMediaType(fields.Get("Content-Disposition"))
	name := extra["filename"]
	if name == "" {
		name = params["name"]
	}
	attached := strings.EqualFold(disposition, "attachment") || name != ""
	switch {
	case mediaType == "text/plain" && !attached && p.m.Text == "":
		p.m.Text = p.text(content, params["charset"])
	case mediaType == "text/html" && !attached && p.m.HTML == "":
		p.m.HTML = p.text(content, params["charset"])
	default:
		if name == "" {
			name = "part"
		}
		p.m.Attachments = append(p.m.Attachments, Attachment{decodeWords(name), len(content), mediaType, content})
	}
}

// text decodes the character sets that mail software sends without being asked.
func (p *parser) text(content []byte, charset string) string {
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	switch strings.ToLower(charset) {
	case "", "utf-8", "us-ascii", "ascii":
	case "iso-8859-1", "latin1":
		runes := make([]rune, len(content))
		for i, c := range content {
			runes[i] = rune(c)
		}
		return string(runes)
	default:
		p.problem("character set %.40q is not known", charset)
	}
	return strings.ToValidUTF8(string(content), "\ufffd")
}

// decode undoes a transfer encoding; on an error it returns what was read.
func decode(encoding string, body io.Reader) ([]byte, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "7bit", "8bit", "binary":
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	default:
		content, _ := io.ReadAll(body)
		return content, fmt.Errorf("transfer encoding %.40q is not known", encoding)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return content, fmt.Errorf("decode %s: %w", encoding, err)
	}
	return content, nil
}

// decodeWords decodes RFC 2047 words; what cannot be decoded stays as it is.
func decodeWords(s string) string {
	if decoded, err := words.DecodeHeader(s); err == nil {
		s = decoded
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// links returns the web addresses of a mail, each once, those of the text first.
func links(text, markup string) []string {
	found := []string{}
	add := func(link string) {
		if !slices.Contains(found, link) {
			found = append(found, link)
		}
	}
	for _, link := range textLink.FindAllString(text, -1) {
		add(strings.TrimRight(link, ".,;:!?)]}"))
	}
	for _, m := range hrefLink.FindAllStringSubmatch(markup, -1) {
		add(html.UnescapeString(m[1]))
	}
	return found
}

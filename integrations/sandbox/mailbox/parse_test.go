package mailbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const full = "From: =?utf-8?q?Nordlicht?= <billing@example.com>\r\n" +
	"Subject: Rechnung\r\n =?utf-8?b?w7xiZXI=?=\r\n" +
	"Content-Type: multipart/mixed; boundary=outer\r\n\r\n" +
	"--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n" +
	"--inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
	"Gr=C3=BC=C3=9Fe, see https://example.com/verify?a=3D1&b=3D2.\r\n" +
	"--inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
	"<html><head></head><a href=\"https://example.com/verify?a=1&amp;b=2\">x</a> <a href='javascript:alert(1)'>y</a> <a HREF='http://other.example/'>z</a></html>\r\n" +
	"--inner--\r\n" +
	"--outer\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"=?utf-8?q?R=C3=BC.pdf?=\"\r\n\r\n" +
	"JVBE\r\nRi0=\r\n--outer--\r\n"

func TestParse(t *testing.T) {
	m := parse([]byte(full))
	if m.Subject != "Rechnung über" || m.Problem != "" {
		t.Errorf("got subject %q, problem %q", m.Subject, m.Problem)
	}
	if want := "Grüße, see https://example.com/verify?a=1&b=2."; strings.TrimSpace(m.Text) != want {
		t.Errorf("got text %q, want %q", m.Text, want)
	}
	if want := []string{"https://example.com/verify?a=1&b=2", "http://other.example/"}; !slices.Equal(m.Links, want) {
		t.Errorf("got links %q, want %q", m.Links, want)
	}
	if len(m.Attachments) != 1 {
		t.Fatalf("got %d attachments, want 1", len(m.Attachments))
	}
	if a := m.Attachments[0]; a.Name != "Rü.pdf" || a.Type != "application/pdf" || a.Size != 5 || string(a.Content) != "%PDF-" {
		t.Errorf("got attachment %+v", a)
	}
	if want := (Header{"From", "Nordlicht <billing@example.com>"}); m.Headers[0] != want {
		t.Errorf("got header %+v, want %+v", m.Headers[0], want)
	}
}

func TestParseBroken(t *testing.T) {
	deep := ""
	for i := range 20 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%02d\n\n--b%02d\n", i, i)
	}
	many := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 300) + "--b--\n"
	scenarios := []struct {
		name, raw, text, problem string
	}{
		{"nothing", "", "", "header line"},
		{"no header at all", "just some words", "", "no field"},
		{"header without a colon", "Subject: a\nbroken line\nTo: b\n\nbody", "body", "no field"},
		{"line feeds only", "Subject: a\n\nbody", "body", ""},
		{"no boundary", "Content-Type: multipart/mixed\n\nbody", "body", "without a boundary"},
		{"cut off", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhel", "hel", "EOF"},
		{"bad base64", "Content-Transfer-Encoding: base64\n\n!!!!", "!!!!", "base64"},
		{"unknown encoding", "Content-Transfer-Encoding: rot13\n\nuryyb", "uryyb", "rot13"},
		{"unknown character set", "Content-Type: text/plain; charset=klingon\n\nnuqneH", "nuqneH", "klingon"},
		{"latin-1", "Content-Type: text/plain; charset=ISO-8859-1\n\nGr\xfc\xdfe", "Grüße", ""},
		{"bad content type", "Content-Type: text/plain; =\n\nbody", "body", "content type"},
		{"too deep", deep, "", "levels"},
		{"too many parts", many, "x", "more than 100 parts"},
		{"broken UTF-8", "Subject: \xff\n\na\xffb", "a\ufffdb", ""},
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			m := parse([]byte(s.raw))
			if s.text != "" && strings.TrimSpace(m.Text) != s.text {
				t.Errorf("got text %q, want %q", m.Text, s.text)
			}
			if (s.problem == "") != (m.Problem == "") || !strings.Contains(m.Problem, s.problem) {
				t.Errorf("got problem %q, want %q", m.Problem, s.problem)
			}
		})
	}
}

// FuzzParse proves that no message stops the mailbox and that everything it
// shows is valid UTF-8 with web links only.
func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("Subject: a\n\nhttps://example.com."))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; filename=../x\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := parse(raw)
		if !utf8.ValidString(m.Subject) || !utf8.ValidString(m.Text) || !utf8.ValidString(m.HTML) {
			t.Errorf("invalid UTF-8 in %q", raw)
		}
		for _, link := range m.Links {
			if !strings.HasPrefix(link, "http://") && !strings.HasPrefix(link, "https://") {
				t.Errorf("link %q is no web address", link)
			}
		}
		if len(m.Attachments) > maxParts {
			t.Errorf("got %d attachments", len(m.Attachments))
		}
	})
}

package einvoice

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Namespaces of UBL 2.1.
const (
	nsInvoice    = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
	nsCreditNote = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
	nsAggregate  = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
	nsBasic      = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
)

// element is a node of a UBL document. Its name has the usual prefix, whatever
// prefix a file uses: "cac:Party", "cbc:ID", "Invoice".
type element struct {
	name     string
	attrs    []attr
	text     string
	children []*element
}

type attr struct{ name, value string }

// group returns an element around those of its children that are not empty, or
// nil where all are.
func group(name string, children ...*element) *element {
	e := &element{name: name}
	if e.add(children...); len(e.children) == 0 {
		return nil
	}
	return e
}

// leaf returns an element with a text, or nil without one.
func leaf(name, text string, attrs ...attr) *element {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return &element{name: name, text: text, attrs: attrs}
}

// add appends the children that are there.
func (e *element) add(children ...*element) {
	for _, c := range children {
		if c != nil {
			e.children = append(e.children, c)
		}
	}
}

// all returns the elements at a path of names below e, "|" separating
// alternatives. The empty path is e itself.
func (e *element) all(path string) []*element {
	if path == "" {
		return []*element{e}
	}
	var found []*element
	for one := range strings.SplitSeq(path, "|") {
		found = append(found, e.along(one)...)
	}
	return found
}

func (e *element) along(path string) []*element {
	first, rest, deeper := strings.Cut(path, "/")
	var found []*element
	for _, c := range e.children {
		switch {
		case c.name != first:
		case deeper:
			found = append(found, c.along(rest)...)
		default:
			found = append(found, c)
		}
	}
	return found
}

// one returns the first element at path, or an empty one.
func (e *element) one(path string) *element {
	if all := e.all(path); len(all) > 0 {
		return all[0]
	}
	return &element{}
}

// has reports whether there is an element at path.
func (e *element) has(path string) bool { return len(e.all(path)) > 0 }

// get returns the text of the first element at path.
func (e *element) get(path string) string { return e.one(path).text }

// attr returns the value of an attribute, or "".
func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// each calls f with e and everything below it; path is where it is from e on.
func (e *element) each(path string, f func(path string, e *element)) {
	f(path, e)
	for _, c := range e.children {
		c.each(path+"/"+c.name, f)
	}
}

// write returns the document as a file, two spaces a level.
func (e *element) write() []byte {
	var out bytes.Buffer
	out.WriteString(xml.Header)
	e.writeTo(&out, "")
	return out.Bytes()
}

func (e *element) writeTo(out *bytes.Buffer, indent string) {
	out.WriteString(indent + "<" + e.name)
	for _, a := range e.attrs {
		out.WriteString(" " + a.name + `="`)
		escape(out, a.value)
		out.WriteString(`"`)
	}
	out.WriteString(">")
	if len(e.children) == 0 {
		escape(out, e.text)
	} else {
		out.WriteString("\n")
		for _, c := range e.children {
			c.writeTo(out, indent+"  ")
		}
		out.WriteString(indent)
	}
	out.WriteString("</" + e.name + ">\n")
}

// escape writes text; characters that XML does not have become U+FFFD.
func escape(out *bytes.Buffer, text string) {
	_ = xml.EscapeText(out, []byte(text)) // a buffer takes everything
}

// ErrXML reports bytes that are not a UBL invoice or credit note.
var ErrXML = errors.New("not a UBL invoice or credit note")

// maxDepth is far deeper than UBL goes; it keeps hostile files from exhausting
// the stack.
const maxDepth = 64

// parse reads a file. Texts are trimmed; elements of other namespaces keep no
// prefix that a path could name. The error wraps ErrXML.
func parse(raw []byte) (*element, error) {
	dec := xml.NewDecoder(bytes.NewReader(raw))
	top := &element{}
	open := []*element{top}
	for {
		token, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF):
			return rootOf(top)
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrXML, err)
		}
		in := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if len(open) > maxDepth {
				return nil, fmt.Errorf("%w: deeper than %d elements", ErrXML, maxDepth)
			}
			e := &element{name: nameOf(t.Name)}
			for _, a := range t.Attr {
				e.attrs = append(e.attrs, attr{a.Name.Local, a.Value})
			}
			in.children = append(in.children, e)
			open = append(open, e)
		case xml.EndElement:
			in.text = strings.TrimSpace(in.text)
			open = open[:len(open)-1]
		case xml.CharData:
			in.text += string(t)
		}
	}
}

func rootOf(top *element) (*element, error) {
	if len(top.children) != 1 || (top.children[0].name != "Invoice" && top.children[0].name != "CreditNote") {
		return nil, fmt.Errorf("%w: the root is neither", ErrXML)
	}
	return top.children[0], nil
}

func nameOf(n xml.Name) string {
	switch n.Space {
	case nsAggregate:
		return "cac:" + n.Local
	case nsBasic:
		return "cbc:" + n.Local
	case nsInvoice, nsCreditNote:
		return n.Local
	}
	return "{" + n.Space + "}" + n.Local
}

package bankfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of an element that is held in memory as a whole, such as one entry.
const (
	maxDepth = 40
	maxNodes = 400_000 // the parts of a batch come to some fifty each
)

// node is an element with its text and children. Namespaces are dropped: the
// root has been checked, and banks choose prefixes as they like.
type node struct {
	name     string
	attrs    []xml.Attr
	text     strings.Builder
	children []*node
}

// first walks down by names, to the first child of each.
func (n *node) first(path ...string) *node {
	for _, name := range path {
		if n == nil {
			return nil
		}
		var next *node
		for _, c := range n.children {
			if c.name == name {
				next = c
				break
			}
		}
		n = next
	}
	return n
}

// all lists the children of a name.
func (n *node) all(name string) []*node {
	found := []*node{}
	if n == nil {
		return found
	}
	for _, c := range n.children {
		if c.name == name {
			found = append(found, c)
		}
	}
	return found
}

// get is the text at the end of a path, without blanks around it.
func (n *node) get(path ...string) string {
	if n = n.first(path...); n == nil {
		return ""
	}
	return strings.TrimSpace(n.text.String())
}

// attr is an attribute's value.
func (n *node) attr(name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.attrs {
		if a.Name.Local == name {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// reader reads an XML document piece by piece. It knows no document types and no
// entities but the five of XML: a document that declares any is refused, so that
// nothing is fetched and nothing expands.
type reader struct {
	d     *xml.Decoder
	depth int
}

func newReader(text string) *reader {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = true
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // decoded already
	return &reader{d: d}
}

// next returns the next start or end of an element; io.EOF after the document.
func (r *reader) next() (xml.Token, error) {
	for {
		t, err := r.d.Token()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil {
			return nil, r.fault("%w", err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, r.fault("a document type is declared, which bank statements never do")
		case xml.StartElement:
			if r.depth++; r.depth > maxDepth {
				return nil, r.fault("elements are nested deeper than %d", maxDepth)
			}
			return t, nil
		case xml.EndElement:
			r.depth--
			return t, nil
		case xml.CharData:
			return t, nil
		}
	}
}

// tree reads the rest of an element that has just begun.
func (r *reader) tree(start xml.StartElement) (*node, error) {
	root := &node{name: start.Name.Local, attrs: start.Copy().Attr}
	stack, count := []*node{root}, 1
	for len(stack) > 0 {
		t, err := r.next()
		if errors.Is(err, io.EOF) {
			err = r.fault("the file ends within %s", root.name)
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if count++; count > maxNodes {
				return nil, fmt.Errorf("%w: line %d: %s has more than %d elements", ErrTooLarge, r.line(), root.name, maxNodes)
			}
			n := &node{name: t.Name.Local, attrs: t.Copy().Attr}
			top.children = append(top.children, n)
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(top.children) == 0 { // no element of these messages mixes both
				top.text.Write(t)
			}
		}
	}
	return root, nil
}

func (r *reader) line() int {
	line, _ := r.d.InputPos()
	return line
}

func (r *reader) fault(format string, args ...any) error {
	return fmt.Errorf("%w: line %d: %w", ErrContent, r.line(), fmt.Errorf(format, args...))
}

// Package op is the one table of our own operations. Each subject adds its
// operations to it, and router, permission matrix and OpenAPI document all come
// from it, so that the three cannot disagree.
package op

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"sort"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// Access says who may call an operation.
type Access string

// The kinds of callers. Gateway operations authenticate by their own signature.
const (
	Public   Access = "public"
	Customer Access = "customer"
	Staff    Access = "staff"
	Gateway  Access = "gateway"
	Signed   Access = "signed" // a short-lived signed link
)

// Spec describes an operation.
type Spec struct {
	ID      string // "orders.create"; unique
	Method  string
	Path    string // "/api/v1/orders/{id}"
	Summary string
	Access  Access
	Status  int   // of success; 0 is 200
	MaxBody int64 // bytes; 0 is DefaultBody
	// Produces is the media type of operations that write their own answer.
	Produces string
}

// DefaultBody bounds a request body, in bytes.
const DefaultBody int64 = 64 << 10

// Op is a registered operation.
type Op struct {
	Spec
	in, out reflect.Type
	serve   func(*Request) error
}

// Request is one call of an operation.
type Request struct {
	*core.RequestEvent
	Op  *Op
	now func() time.Time
}

// Now is the product's clock.
func (r *Request) Now() time.Time { return r.now() }

// Path returns a path parameter.
func (r *Request) Path(name string) string { return r.Request.PathValue(name) }

// Agent is the caller's user agent.
func (r *Request) Agent() string { return r.Request.UserAgent() }

// Table holds all operations.
type Table struct {
	ops []*Op
	now func() time.Time

	// Again, where it is set, is asked about an operation's error before it is
	// answered, outside of any transaction: true says that its cause is gone, and the
	// operation is done once more; else the error it returns is the answer.
	Again func(ctx context.Context, app core.App, err error) (bool, error)
}

// NewTable makes an empty table.
func NewTable(now func() time.Time) *Table { return &Table{now: now} }

// None is the input or output of operations that have none.
type None struct{}

// Add registers an operation with typed input and output. Input comes from the
// JSON body, and from path and query by the tags `path` and `query`. It panics
// on a duplicate, since that is a mistake in the program.
func Add[In, Out any](t *Table, s Spec, h func(r *Request, in In) (Out, error)) {
	if s.Status == 0 {
		s.Status = http.StatusOK
	}
	o := &Op{Spec: s, in: reflect.TypeFor[In](), out: reflect.TypeFor[Out]()}
	o.serve = func(r *Request) error {
		in, err := decode[In](r)
		if err != nil {
			return err
		}
		out, err := h(r, in)
		if err != nil && t.Again != nil {
			again, why := t.Again(r.Request.Context(), r.App, err)
			if err = why; again {
				out, err = h(r, in)
			}
		}
		if err != nil {
			return err
		}
		return write(r, s.Status, out)
	}
	t.add(o)
}

// AddRaw registers an operation that reads the body and writes the answer
// itself: webhooks and files.
func AddRaw(t *Table, s Spec, h func(r *Request) error) {
	if s.Status == 0 {
		s.Status = http.StatusOK
	}
	t.add(&Op{Spec: s, in: reflect.TypeFor[None](), out: reflect.TypeFor[None](), serve: h})
}

func (t *Table) add(o *Op) {
	for _, other := range t.ops {
		if other.ID == o.ID || other.Method == o.Method && other.Path == o.Path {
			panic(fmt.Sprintf("op: %s (%s %s) is registered twice", o.ID, o.Method, o.Path))
		}
	}
	switch o.Access {
	case Public, Customer, Staff, Gateway, Signed:
	default:
		panic("op: " + o.ID + " does not say who may call it")
	}
	t.ops = append(t.ops, o)
}

// Permission is one row of the permission matrix.
type Permission struct {
	ID      string `json:"id"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	Access  Access `json:"access"`
	Summary string `json:"summary"`
}

// Matrix lists who may call what, by path and method.
func (t *Table) Matrix() []Permission {
	rows := []Permission{}
	for _, o := range t.ops {
		rows = append(rows, Permission{o.ID, o.Method, o.Path, o.Access, o.Summary})
	}
	sort.Slice(rows, func(i, j int) bool {
		if rows[i].Path != rows[j].Path {
			return rows[i].Path < rows[j].Path
		}
		return rows[i].Method < rows[j].Method
	})
	return rows
}

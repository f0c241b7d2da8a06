package op

import (
	"net/http"
	"testing"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// Two subjects may name their types alike; these stand for them.
type payment struct {
	Amount money.Amount `json:"amount"`
	At     *time.Time   `json:"at"`
}

// tree holds itself.
type tree struct {
	Name     string           `json:"name,omitempty"`
	Children []tree           `json:"children"`
	Tags     map[string]int64 `json:"tags"`
}

type generic[T any] struct {
	Items []T `json:"items"`
}

func member2(v any, path ...string) any {
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

func TestTypesOfTheSameNameAreTwoComponents(t *testing.T) {
	type Money struct {
		Coins int64 `json:"coins"`
	}
	type inner struct {
		payment `json:"-"`
		P       payment `json:"p"`
	}
	table := NewTable(time.Now)
	first := func(*Request, None) (payment, error) { return payment{}, nil }
	Add(table, Spec{ID: "a", Method: http.MethodGet, Path: "/a", Access: Public}, first)
	Add(table, Spec{ID: "b", Method: http.MethodGet, Path: "/b", Access: Public}, func(*Request, None) (inner, error) { return inner{}, nil })
	Add(table, Spec{ID: "c", Method: http.MethodGet, Path: "/c", Access: Public}, func(*Request, None) (Money, error) { return Money{}, nil })
	addLocalPayment(table)
	schemas, _ := member2(table.OpenAPI(), "components", "schemas").(map[string]any)
	for name, field := range map[string]string{"payment": "amount", "op.payment": "reference", "Money": "minor", "op.Money": "coins"} {
		if member2(schemas, name, "properties", field) == nil {
			t.Errorf("component %s has no %s: %v", name, field, schemas[name])
		}
	}
	ref := member2(table.OpenAPI(), "paths", "/d", "get", "responses", "200", "content", "application/json", "schema", "$ref")
	if ref != "#/components/schemas/op.payment" {
		t.Errorf("the second payment is described by %v", ref)
	}
}

func addLocalPayment(table *Table) {
	type payment struct {
		Reference string `json:"reference"`
	}
	Add(table, Spec{ID: "d", Method: http.MethodGet, Path: "/d", Access: Public}, func(*Request, None) (payment, error) { return payment{}, nil })
}

func TestRecursiveAndGenericTypes(t *testing.T) {
	table := NewTable(time.Now)
	Add(table, Spec{ID: "tree", Method: http.MethodPost, Path: "/tree", Access: Customer}, func(_ *Request, in tree) (generic[payment], error) {
		return generic[payment]{}, nil
	})
	doc := table.OpenAPI()
	if got := member2(doc, "components", "schemas", "tree", "properties", "children", "items", "$ref"); got != "#/components/schemas/tree" {
		t.Errorf("a type that holds itself: got %v", got)
	}
	schemas, _ := member2(doc, "components", "schemas").(map[string]any)
	for name := range schemas {
		if notInName.MatchString(name) {
			t.Errorf("%q is no name of a component", name)
		}
	}
	required, _ := member2(doc, "components", "schemas", "tree", "required").([]any)
	if len(required) != 2 {
		t.Errorf("required: got %v, want children and tags", required)
	}
}

func TestTwoOperationsAtOnePlacePanic(t *testing.T) {
	add := func(specs ...Spec) (panicked bool) {
		defer func() { panicked = recover() != nil }()
		table := NewTable(time.Now)
		for _, s := range specs {
			Add(table, s, func(*Request, None) (None, error) { return None{}, nil })
		}
		return false
	}
	a := Spec{ID: "a", Method: http.MethodGet, Path: "/a", Access: Public}
	scenarios := map[string][]Spec{
		"the same id":     {a, {ID: "a", Method: http.MethodPost, Path: "/b", Access: Public}},
		"the same place":  {a, {ID: "b", Method: http.MethodGet, Path: "/a", Access: Public}},
		"no access given": {{ID: "b", Method: http.MethodGet, Path: "/b"}},
		"unknown access":  {{ID: "b", Method: http.MethodGet, Path: "/b", Access: "everybody"}},
	}
	for name, specs := range scenarios {
		if !add(specs...) {
			t.Errorf("%s: accepted", name)
		}
	}
	if add(a) {
		t.Error("a good operation was refused")
	}
}

// TestEmbeddedInputs: what several inputs have in common is one struct that they
// embed; its members are theirs, in the description as in the request.
func TestEmbeddedInputs(t *testing.T) {
	type common struct {
		ID   string `json:"-" path:"id"`
		Page int    `json:"-" query:"page"`
		Note string `json:"note,omitzero"`
	}
	type input struct {
		common
		Key string `json:"key"`
	}
	table := NewTable(time.Now)
	Add(table, Spec{ID: "a", Method: http.MethodPost, Path: "/a/{id}", Access: Public}, func(*Request, input) (None, error) { return None{}, nil })
	doc := table.OpenAPI()
	for _, name := range []string{"key", "note"} {
		if member2(doc, "components", "schemas", "input", "properties", name) == nil {
			t.Errorf("%s is not described: %v", name, member2(doc, "components", "schemas", "input"))
		}
	}
	if params, _ := member2(doc, "paths", "/a/{id}", "post", "parameters").([]any); len(params) != 2 {
		t.Errorf("parameters: got %v, want id and page", params)
	}
}

func TestBytesAreBase64(t *testing.T) {
	type upload struct {
		Content []byte `json:"content"`
	}
	table := NewTable(time.Now)
	Add(table, Spec{ID: "upload", Method: http.MethodPost, Path: "/upload", Access: Staff}, func(*Request, upload) (None, error) { return None{}, nil })
	content := member2(table.OpenAPI(), "components", "schemas", "upload", "properties", "content")
	if member2(content, "type") != "string" || member2(content, "contentEncoding") != "base64" {
		t.Errorf("got %v", content)
	}
}

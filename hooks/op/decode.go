package op

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// Checked is implemented by inputs that check themselves.
type Checked interface {
	Check(f *Fields)
}

// decode reads an input strictly: unknown and doubled members are refused with
// the member's name, so that a mistyped field is not silently ignored.
func decode[In any](r *Request) (In, error) {
	var in In
	v := reflect.ValueOf(&in).Elem()
	if hasBody(r.Op.Method) && v.NumField() > 0 {
		if err := decodeBody(r, &in); err != nil {
			return in, err
		}
	}
	if err := fill(r, v); err != nil {
		return in, err
	}
	if c, ok := any(&in).(Checked); ok {
		faults := Fields{}
		c.Check(&faults)
		if err := faults.Problem(); err != nil {
			return in, err
		}
	}
	return in, nil
}

func hasBody(method string) bool { return method != http.MethodGet && method != http.MethodDelete }

func decodeBody(r *Request, into any) error {
	body, err := io.ReadAll(http.MaxBytesReader(r.Response, r.Request.Body, r.Op.maxBody()))
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		body = []byte("{}")
	}
	err = json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	p := NewProblem(http.StatusBadRequest, "malformed", "The request body is not what this operation expects.").Because(err)
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &semantic):
		field := dotted(string(semantic.JSONPointer))
		message := "has a value of the wrong type"
		if errors.Is(err, json.ErrUnknownName) {
			message = "is not a field of this operation"
		}
		p.Errors = []FieldError{{field, fmt.Sprintf("%s %s", field, message), "malformed"}}
	case errors.As(err, &syntactic):
		p.Detail = fmt.Sprintf("The request body is not valid JSON near byte %d.", syntactic.ByteOffset)
	}
	return p
}

func (o *Op) maxBody() int64 {
	if o.MaxBody > 0 {
		return o.MaxBody
	}
	return DefaultBody
}

// dotted turns a JSON pointer into the way field errors name fields.
func dotted(pointer string) string {
	return strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
}

// fields are those of a struct, followed by those of the structs it embeds, whose
// members are its own in JSON.
func fields(t reflect.Type) []reflect.StructField {
	own, embedded := []reflect.StructField{}, []reflect.StructField{}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.Anonymous || f.Type.Kind() != reflect.Struct || f.Tag.Get("json") != "" {
			own = append(own, f)
			continue
		}
		for _, inner := range fields(f.Type) {
			inner.Index = append([]int{i}, inner.Index...)
			embedded = append(embedded, inner)
		}
	}
	return append(own, embedded...)
}

// fill sets the fields tagged path or query; numbers must be whole.
func fill(r *Request, v reflect.Value) error {
	query := r.Request.URL.Query()
	for _, field := range fields(v.Type()) {
		tag := field.Tag
		name, value := tag.Get("path"), ""
		switch {
		case name != "":
			value = r.Path(name)
		case tag.Get("query") != "":
			name = tag.Get("query")
			value = query.Get(name)
		}
		if name == "" || value == "" {
			continue
		}
		switch f := v.FieldByIndex(field.Index); f.Kind() {
		case reflect.String:
			f.SetString(value)
		case reflect.Int, reflect.Int64:
			n, err := strconv.ParseInt(value, 10, 32)
			if err != nil {
				return Fields{{name, name + " must be a whole number", "malformed"}}.Problem()
			}
			f.SetInt(n)
		default:
			return fmt.Errorf("op %s: field %s cannot come from the address", r.Op.ID, name)
		}
	}
	return nil
}

package op

import (
	"path"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ezscale/ezscale/engine/money"
)

// OpenAPI describes all operations as an OpenAPI 3.1 document.
func (t *Table) OpenAPI() map[string]any {
	d := describer{schemas: map[string]any{"Problem": problemSchema(), "Money": moneySchema()}, names: map[reflect.Type]string{}}
	paths := map[string]any{}
	for _, o := range t.ops {
		item, ok := paths[o.Path].(map[string]any)
		if !ok {
			item = map[string]any{}
			paths[o.Path] = item
		}
		item[strings.ToLower(o.Method)] = d.operation(o)
	}
	return map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"title": "EZSCALE", "version": "1", "description": "Operations of the product. Records can also be read through PocketBase's own API, within each collection's rules."},
		"paths":   paths,
		"components": map[string]any{
			"schemas": d.schemas,
			"securitySchemes": map[string]any{
				"token": map[string]any{"type": "apiKey", "in": "header", "name": "Authorization", "description": "token of a signed-in customer or member of staff"},
			},
		},
	}
}

// describer collects the components of a document.
type describer struct {
	schemas map[string]any
	names   map[reflect.Type]string // of the components, by type
}

func (d describer) operation(o *Op) map[string]any {
	answer := map[string]any{"description": "done"}
	switch {
	case o.Produces != "":
		answer["content"] = map[string]any{o.Produces: map[string]any{}}
	case o.out != reflect.TypeFor[None]():
		answer["content"] = map[string]any{"application/json": map[string]any{"schema": d.schema(o.out)}}
	}
	status := o.Status
	if o.out == reflect.TypeFor[None]() && o.Produces == "" {
		status = 204
	}
	described := map[string]any{
		"operationId": o.ID, "summary": o.Summary, "x-access": string(o.Access),
		"responses": map[string]any{
			strconv.Itoa(status): answer,
			"default":            map[string]any{"description": "refused or failed", "content": map[string]any{"application/problem+json": map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/Problem"}}}},
		},
	}
	if o.Access == Customer || o.Access == Staff {
		described["security"] = []any{map[string]any{"token": []any{}}}
	}
	if params := parameters(o); len(params) > 0 {
		described["parameters"] = params
	}
	if hasBody(o.Method) && hasMembers(o.in) {
		described["requestBody"] = map[string]any{"required": true, "content": map[string]any{"application/json": map[string]any{"schema": d.schema(o.in)}}}
	}
	return described
}

// parameters lists those of the path pattern, and the input's query fields.
func parameters(o *Op) []any {
	params := []any{}
	for part := range strings.SplitSeq(o.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			params = append(params, map[string]any{"name": strings.TrimRight(name, ".}"), "in": "path", "required": true, "schema": map[string]any{"type": "string"}})
		}
	}
	for _, f := range fields(o.in) {
		if name := f.Tag.Get("query"); name != "" {
			kind := "string"
			if f.Type.Kind() != reflect.String {
				kind = "integer"
			}
			params = append(params, map[string]any{"name": name, "in": "query", "schema": map[string]any{"type": kind}})
		}
	}
	return params
}

func hasMembers(t reflect.Type) bool {
	for _, f := range fields(t) {
		if name, _ := member(f); name != "" {
			return true
		}
	}
	return false
}

// member returns the JSON name of a field, "" if it has none.
func member(f reflect.StructField) (name string, optional bool) {
	name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" || !f.IsExported() || f.Tag.Get("path") != "" || f.Tag.Get("query") != "" {
		return "", false
	}
	if name == "" {
		name = f.Name
	}
	return name, strings.Contains(rest, "omit")
}

// schema describes a Go type; named structs become components.
func (d describer) schema(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case reflect.TypeFor[money.Amount]():
		return map[string]any{"$ref": "#/components/schemas/Money"}
	case reflect.TypeFor[[]byte]():
		return map[string]any{"type": "string", "contentEncoding": "base64"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return map[string]any{"anyOf": []any{d.schema(t.Elem()), map[string]any{"type": "null"}}}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64, reflect.Int32:
		return map[string]any{"type": "integer"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Struct:
		return d.object(t)
	}
	return map[string]any{}
}

func (d describer) object(t reflect.Type) map[string]any {
	if t.Name() == "" {
		return d.properties(t)
	}
	name, known := d.names[t]
	if !known {
		name = d.name(t)
		d.names[t] = name
		d.schemas[name] = map[string]any{} // stops recursion
		d.schemas[name] = d.properties(t)
	}
	return map[string]any{"$ref": "#/components/schemas/" + name}
}

// name is a type's own name, or with its package in front where another type has
// that name already. Components are named by letters, digits, dots and such
// alone (OpenAPI 3.1, Components Object).
func (d describer) name(t reflect.Type) string {
	name := notInName.ReplaceAllString(t.Name(), "_")
	if _, taken := d.schemas[name]; taken {
		name = path.Base(t.PkgPath()) + "." + name
	}
	for base, n := name, 2; ; n++ {
		if _, taken := d.schemas[name]; !taken {
			return name
		}
		name = base + strconv.Itoa(n)
	}
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

func (d describer) properties(t reflect.Type) map[string]any {
	members, required := map[string]any{}, []any{}
	for _, f := range fields(t) {
		name, optional := member(f)
		if name == "" {
			continue
		}
		if _, shadowed := members[name]; shadowed {
			continue // by a field of the struct itself, which comes first
		}
		members[name] = d.schema(f.Type)
		if !optional {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": members, "required": required}
}

func moneySchema() map[string]any {
	return map[string]any{
		"type": "object", "required": []any{"minor", "currency", "exponent"},
		"properties": map[string]any{
			"minor":    map[string]any{"type": "integer", "description": "whole minor units: cents for EUR, yen for JPY"},
			"currency": map[string]any{"type": "string", "description": "ISO 4217 code"},
			"exponent": map[string]any{"type": "integer", "description": "number of decimals of the currency"},
		},
	}
}

func problemSchema() map[string]any {
	text := map[string]any{"type": "string"}
	fault := map[string]any{"type": "object", "properties": map[string]any{"field": text, "message": text, "code": text}}
	return map[string]any{"type": "object", "properties": map[string]any{
		"type": text, "title": text, "status": map[string]any{"type": "integer"}, "detail": text, "code": text, "reference": text,
		"errors": map[string]any{"type": "array", "items": fault},
	}}
}

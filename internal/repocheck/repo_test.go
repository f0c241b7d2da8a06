package repocheck

import (
	"os"
	"testing"
)

// TestRepository runs every house rule over this repository.
func TestRepository(t *testing.T) {
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if _, there := tree.files["go.mod"]; !there {
		t.Fatal("this is not the repository's root")
	}
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			for _, f := range c.Run(tree) {
				t.Error(f)
			}
		})
	}
}

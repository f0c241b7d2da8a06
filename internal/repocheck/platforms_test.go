package repocheck

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// platformPages are the sections of docs/platforms.md and the adapters they are of.
var platformPages = map[string]string{"VirtFusion": "virtfusion", "Pterodactyl": "pterodactyl", "SynergyCP": "synergycp", "Enhance": "enhance"}

var (
	settingConst = regexp.MustCompile("(?m)^\\tSetting\\w+ += \"(\\w+)\"")
	listConst    = regexp.MustCompile(`checklistPrefix \+ "(\w+)"`)
	settingRow   = regexp.MustCompile("(?m)^\\| ((?:`\\w+`(?:, )?)+) \\|")
	named        = regexp.MustCompile("`(\\w+)`")
	complaint    = regexp.MustCompile(`(?m)^\| ((?:"[^"]+"(?:, )?)+) ?[^|]*\|`)
	quotation    = regexp.MustCompile(`"([^"]+)"`)
	ability      = regexp.MustCompile("\\(`(\\w+)`\\)")
)

// section is a part of docs/platforms.md, by its heading.
func section(t *testing.T, heading string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "platforms.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(raw), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/platforms.md has no section %q", heading)
	}
	before, _, _ := strings.Cut(after, "\n## ")
	return before
}

// adapterCode is all of a package without its tests.
func adapterCode(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s: %v", dir, err)
	}
	all := strings.Builder{}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	return all.String()
}

func submatches(re *regexp.Regexp, text string) []string {
	found := []string{}
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestPlanSettingsAreDocumented: docs/platforms.md names those that an adapter reads,
// all of them and no other.
func TestPlanSettingsAreDocumented(t *testing.T) {
	read := map[string][]string{"Manual": {}}
	for heading, vendor := range platformPages {
		read[heading] = submatches(settingConst, adapterCode(t, "integrations/"+vendor))
	}
	for _, name := range submatches(listConst, adapterCode(t, "engine/provisioning")) {
		read["Manual"] = append(read["Manual"], "checklist_"+name)
	}
	for heading, known := range read {
		rows := strings.Builder{}
		for _, table := range strings.Split(section(t, heading), "| setting | what it is |")[1:] {
			before, _, _ := strings.Cut(table, "\n\n")
			rows.WriteString(before)
		}
		named := submatches(named, strings.Join(submatches(settingRow, rows.String()), " "))
		named = slices.DeleteFunc(named, func(n string) bool { return n == "env_NAME" }) // stands for every variable
		slices.Sort(known)
		if len(known) == 0 || !slices.Equal(named, known) {
			t.Errorf("%s: docs/platforms.md names the settings %v, read are %v", heading, named, known)
		}
	}
}

// TestErrorsInTheDocsAreOurs: what the tables quote is what the adapter says.
func TestErrorsInTheDocsAreOurs(t *testing.T) {
	shared := adapterCode(t, "integrations/panel")
	for heading, vendor := range platformPages {
		code, n := adapterCode(t, "integrations/"+vendor)+shared, 0
		for _, row := range submatches(complaint, section(t, heading)) {
			for _, text := range submatches(quotation, row) {
				n++
				for part := range strings.SplitSeq(text, "…") {
					if part = strings.Trim(part, " ;"); len(part) > 3 && part != "only_mo_allowed" && !strings.Contains(code, part) {
						t.Errorf("%s: the docs quote %q, and nothing in its adapter says %q", heading, text, part)
					}
				}
			}
		}
		if n < 3 {
			t.Errorf("%s: %d errors are explained, want some", heading, n)
		}
	}
}

// TestAbilitiesInTheDocsAreTrue: the table says yes or – as the adapters' assertions do.
func TestAbilitiesInTheDocsAreTrue(t *testing.T) {
	vendors := []string{"virtfusion", "pterodactyl", "synergycp", "enhance", "manual"}
	rows := 0
	for line := range strings.SplitSeq(section(t, "What each can do"), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		names := submatches(ability, line)
		if len(names) == 0 || len(cells) != len(vendors)+1 {
			continue
		}
		rows++
		for i, vendor := range vendors {
			for _, name := range names {
				can := regexp.MustCompile(`_ provisioning\.` + name + `\s+=`).MatchString(adapterCode(t, "integrations/"+vendor))
				if says := strings.TrimSpace(cells[i+1]) != "–"; says != can {
					t.Errorf("%s of %s: the docs say %q, the adapter %t", name, vendor, strings.TrimSpace(cells[i+1]), can)
				}
			}
		}
	}
	if rows < 10 {
		t.Errorf("the table has %d rows of abilities, want all", rows)
	}
}

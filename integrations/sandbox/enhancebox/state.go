package enhancebox

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The words of a status.
const (
	active = "active"
	gone   = "deleted"
)

type org struct {
	id, parent, name string
	status           string
	suspended        bool
	members          []*member
	made             time.Time
}

// owner is the first member with that role.
func (o *org) owner() *member {
	if i := slices.IndexFunc(o.members, func(m *member) bool { return slices.Contains(m.roles, "Owner") }); i >= 0 {
		return o.members[i]
	}
	return nil
}

type member struct {
	id    string
	login *login
	roles []string
	made  time.Time
}

type login struct {
	id, email, name, password string
	made                      time.Time
}

type subscription struct {
	id        int64
	org       *org
	plan      *plan
	name      string
	status    string
	suspended bool
	usage     map[string]int64
	made      time.Time
}

type website struct {
	id     string
	org    *org
	sub    *subscription
	domain string
	php    string
	status string
	dbs    []string
	users  map[string]*dbUser
	made   time.Time
}

type dbUser struct {
	password string
	grants   map[string][]string // by database
}

// plan is a seeded plan; a resource that is not in total is unlimited.
type plan struct {
	id    int64
	name  string
	total map[string]int64
}

// resources are what every plan counts.
var resources = []string{"websites", "diskspace", "transfer", "mailboxes", "mysqlDbs"}

var planList = []*plan{
	{11, "Start", map[string]int64{"websites": 1, "diskspace": 10 << 30, "mailboxes": 10, "mysqlDbs": 1}},
	{12, "Business", map[string]int64{"websites": 5, "diskspace": 50 << 30, "mailboxes": 50, "mysqlDbs": 5}},
	{13, "Pro", map[string]int64{"websites": 20, "diskspace": 200 << 30, "transfer": 5 << 40}},
	{21, "MySQL S", map[string]int64{"websites": 1, "diskspace": 5 << 30, "mailboxes": 0, "mysqlDbs": 1}},
}

func findPlan(id int64) *plan {
	if i := slices.IndexFunc(planList, func(p *plan) bool { return p.id == id }); i >= 0 {
		return planList[i]
	}
	return nil
}

// uuid counts the objects of a kind in the form of the panel's ids.
func (b *Box) uuid(kind string) string {
	n := b.ids.Next(kind)
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", len(kind)<<16|int(kind[0]), n)
}

func (b *Box) loginOf(email string) *login {
	for _, l := range b.logins {
		if strings.EqualFold(l.email, email) {
			return l
		}
	}
	return nil
}

func (b *Box) addLogin(email, name, password string) *login {
	l := &login{id: b.uuid("login"), email: email, name: name, password: password, made: b.opts.Now()}
	b.logins[l.id] = l
	return l
}

func (b *Box) sortedWebsites() []*website {
	return slices.SortedFunc(maps.Values(b.websites), func(x, y *website) int { return cmp.Compare(x.id, y.id) })
}

// remove deletes a subscription softly, with its websites.
func (b *Box) remove(s *subscription) {
	s.status = gone
	for _, w := range b.websites {
		if w.sub == s {
			w.status = gone
		}
	}
}

// drop deletes a subscription with its data.
func (b *Box) drop(s *subscription) {
	delete(b.subs, s.id)
	maps.DeleteFunc(b.websites, func(_ string, w *website) bool { return w.sub == s })
}

// used is what a subscription uses of a resource.
func (b *Box) used(s *subscription, name string) int64 {
	n := s.usage[name]
	for _, w := range b.websites {
		if w.sub != s || w.status != active {
			continue
		}
		switch name {
		case "websites":
			n++
		case "mysqlDbs":
			n += int64(len(w.dbs))
		case "diskspace":
			n += 64 << 20
		case "transfer":
			n += int64(b.opts.Now().Sub(w.made)/time.Second) * 2_000
		}
	}
	return n
}

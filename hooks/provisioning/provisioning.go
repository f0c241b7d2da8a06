// Package provisioning is the shell around engine/provisioning: it builds what
// was paid for, suspends and ends what is not, does what customers and staff
// ask of a service, and keeps the local picture true to the platform's. All
// calls to platforms are made by jobs; a service's status follows what its
// platform has confirmed.
package provisioning

import (
	"fmt"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"github.com/ezscale/ezscale/collections"
	"github.com/ezscale/ezscale/engine/provisioning"
	"github.com/ezscale/ezscale/hooks/books"
	"github.com/ezscale/ezscale/hooks/jobs"
	"github.com/ezscale/ezscale/hooks/op"
)

// Settings are what a platform's adapter is built from.
type Settings struct {
	URL   string
	Token string
	Extra string // JSON object of further settings
}

// String keeps the token out of logs.
func (Settings) String() string { return "[platform settings]" }

// GoString keeps the token out of %#v.
func (Settings) GoString() string { return "[platform settings]" }

// Factory builds an adapter. It makes no calls. What the adapter can do is what
// it implements of the engine's interfaces.
type Factory func(s Settings) (any, error)

// Deps is what provisioning needs from outside.
type Deps struct {
	Now       func() time.Time
	Books     *books.Books
	Sealer    *collections.Sealer
	Factories map[string]Factory  // by platform kind
	Override  map[string]Settings // from the environment, by kind, for the first of it; set fields win
	// Waits tells staff that work on a service of a platform waits for them.
	Waits func(tx core.App, platform string) error
	// Drifted tells staff that a comparison with a platform's list found something new.
	Drifted func(tx core.App, platform string) error
	// Watching are the customers who look at the portal now, and Tell tells their
	// browsers of a record that is to be fetched again.
	Watching func() []string
	Tell     func(user, collection, id string)
}

// JobClass are the jobs that call platforms. They have lanes of their own: a slow
// panel with a thousand orders holds up neither mails nor payments.
const JobClass = "platforms"

// jobLanes is how many of them run at the same time.
const jobLanes = 16

// kindManual is the kind of a platform that is staff itself.
const kindManual = "manual"

// Subject is provisioning bound to one app.
type Subject struct {
	Deps
	mu      sync.Mutex
	built   map[string]built
	options map[string]keptOptions
	watch   watch
}

type built struct {
	settings Settings
	adapter  any
}

// Register binds provisioning's operations, jobs and hooks.
func Register(app core.App, table *op.Table, worker *jobs.Worker, deps Deps) *Subject {
	s := &Subject{Deps: deps, built: map[string]built{}, options: map[string]keptOptions{}}
	s.serviceOps(table)
	s.reinstallOps(table)
	s.staffOps(table)
	s.jobOps(table)
	s.taskOps(table)
	s.driftOps(table)
	s.platformOps(table)
	deps.Books.OnPaid(s.startPaid)
	s.guard(app)
	s.onAccess(app)
	s.onChange(app)
	worker.Apart(JobClass, jobLanes)
	worker.Handle(string(provisioning.JobProvision), s.provision)
	worker.Handle(string(provisioning.JobSuspend), s.suspend)
	worker.Handle(string(provisioning.JobUnsuspend), s.unsuspend)
	worker.Handle(string(provisioning.JobTerminate), s.terminate)
	worker.Handle(string(provisioning.JobPower), s.power)
	worker.Handle(string(provisioning.JobResetPassword), s.resetPassword)
	worker.Handle(string(provisioning.JobReinstall), s.reinstall)
	worker.Handle(string(provisioning.JobRefresh), s.refresh)
	worker.Handle(string(provisioning.JobChangePlan), s.changePlan)
	worker.Handle(jobDrift, s.driftJob)
	worker.OnGivenUp(s.givenUp)
	worker.OnGivenUp(s.driftGivenUp)
	return s
}

// adapter returns the adapter of a service's platform, or people where they took the
// service over.
func (s *Subject) adapter(app core.App, service *core.Record) (any, error) {
	if people, ok := s.Factories[kindManual]; ok && service.GetBool("by_hand") {
		return people(Settings{})
	}
	return s.panelOf(app, service)
}

// panelOf returns the adapter of a service's platform, whoever works on the service.
func (s *Subject) panelOf(app core.App, service *core.Record) (any, error) {
	platform, err := collections.First(app, collections.Platforms, dbx.HashExp{"id": service.GetString("platform")})
	if err != nil {
		return nil, err
	}
	if platform == nil {
		return nil, fmt.Errorf("service %s has no platform: %w", service.Id, provisioning.ErrPermanent)
	}
	return s.platform(app, platform)
}

// platform returns the adapter of a platform, rebuilt when its settings changed.
func (s *Subject) platform(app core.App, platform *core.Record) (any, error) {
	kind := platform.GetString("kind")
	factory, ok := s.Factories[kind]
	if !ok {
		return nil, fmt.Errorf("platform %s: kind %s is not supported: %w", platform.GetString("name"), kind, provisioning.ErrPermanent)
	}
	set := Settings{URL: platform.GetString("url"), Extra: platform.GetString("settings")}
	env, err := s.override(app, platform)
	if err != nil {
		return nil, err
	}
	if env.URL != "" {
		set.URL = env.URL
	}
	set.Token = env.Token
	if set.Token == "" {
		token, err := s.Sealer.OpenField(platform, "token")
		if err != nil {
			return nil, fmt.Errorf("platform %s: %w: %w", platform.GetString("name"), provisioning.ErrCredentials, err)
		}
		set.Token = token
	}
	adapter, err := s.build(platform.Id, set, factory)
	if err != nil {
		return nil, fmt.Errorf("platform %s: %w: %w", platform.GetString("name"), provisioning.ErrCredentials, err)
	}
	if pacer, ok := adapter.(provisioning.Pacer); ok {
		pacer.Pace(platform.GetInt("calls_per_second"), platform.GetInt("calls_burst"))
	}
	return adapter, nil
}

// build returns the adapter that was built from the same settings, or a new one.
func (s *Subject) build(platform string, set Settings, factory Factory) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.built[platform]; ok && b.settings == set {
		return b.adapter, nil
	}
	adapter, err := factory(set)
	if err == nil {
		s.built[platform] = built{set, adapter}
	}
	return adapter, err
}

// override is what the environment says of a platform: it is about the first of each
// kind, and further ones are set up in their records alone.
func (s *Subject) override(app core.App, platform *core.Record) (Settings, error) {
	kind := platform.GetString("kind")
	env, set := s.Override[kind]
	if !set {
		return Settings{}, nil
	}
	first := ""
	err := app.DB().NewQuery("SELECT `id` FROM `platforms` WHERE `kind` = {:kind} ORDER BY `created`, `rowid` LIMIT 1").Bind(dbx.Params{"kind": kind}).Row(&first)
	if err != nil {
		return Settings{}, fmt.Errorf("first platform of kind %s: %w", kind, err)
	}
	if first != platform.Id {
		return Settings{}, nil
	}
	return env, nil
}

// ability returns the adapter of a service as what is needed, or a permanent
// error that says what the platform lacks.
func ability[T any](s *Subject, app core.App, service *core.Record, what string) (T, error) {
	var none T
	a, err := s.adapter(app, service)
	if err != nil {
		return none, err
	}
	can, ok := a.(T)
	if !ok {
		return none, fmt.Errorf("the platform of service %s cannot %s: %w", service.Id, what, provisioning.ErrPermanent)
	}
	return can, nil
}

// serviceJob is a job about a service. All work for one customer is done one
// after the other, because platforms recognize an interrupted creation by what
// else the customer has.
func serviceJob(kind provisioning.JobKind, service *core.Record, actor string, payload any) jobs.Job {
	return jobOf(kind, service.Id, service.GetString("user"), actor, payload)
}

func jobOf(kind provisioning.JobKind, service, user, actor string, payload any) jobs.Job {
	return jobs.Job{
		Kind: string(kind), Key: string(kind) + ":" + service, Serial: "user:" + user, Class: JobClass,
		User: user, Service: service, Actor: actor, Payload: payload,
	}
}

// Package sqlite opens the product's databases: the pragmas they all need in one
// place, and connections that keep the statements they have prepared.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/pocketbase/dbx"
	"modernc.org/sqlite"
)

// Options are what the openers of a database differ in.
type Options struct {
	// Synchronous is SQLite's setting of that name: FULL waits for the disk at each
	// commit, NORMAL at checkpoints, OFF never. Empty is FULL.
	Synchronous string
	// CacheKiB bounds the pages that a connection keeps; 0 leaves SQLite's own bound
	// of 2,000 KiB.
	CacheKiB int
	// Checkpoint is the number of pages after which the journal is worked off; 0
	// leaves SQLite's own, 1,000.
	Checkpoint int
	// MapBytes of the file are read through memory instead of by calls; 0 is none.
	MapBytes int64
}

// Name is the data source name of a file with these options. Beyond PocketBase's
// own pragmas, recursive triggers make REPLACE fire the triggers that forbid
// deletion, and the defensive flag keeps SQL from damaging the file.
func (o Options) Name(path string) string {
	if o.Synchronous == "" {
		o.Synchronous = "FULL"
	}
	pragmas := []string{
		"busy_timeout(10000)", "journal_mode(WAL)", "journal_size_limit(200000000)", "synchronous(" + o.Synchronous + ")",
		"foreign_keys(ON)", "recursive_triggers(ON)", "temp_store(MEMORY)",
	}
	for name, n := range map[string]int64{"cache_size": -int64(o.CacheKiB), "wal_autocheckpoint": int64(o.Checkpoint), "mmap_size": o.MapBytes} {
		if n != 0 {
			pragmas = append(pragmas, name+"("+strconv.FormatInt(n, 10)+")")
		}
	}
	return path + "?_pragma=" + strings.Join(pragmas, "&_pragma=") + "&_defensive=1"
}

// Open opens a database file, which appears if it does not exist. A file that
// cannot be opened is reported by the first statement.
func Open(path string, o Options) (*dbx.DB, error) {
	return openNamed(o.Name(path))
}

// OpenReadOnly opens a database file that exists, so that nothing can be written
// to it. A process that only reads may map the file, up to SQLite's bound of 2 GB,
// which halves what long queries take: a disk that fails then ends that process
// and not the server.
func OpenReadOnly(path string) (*dbx.DB, error) {
	file := url.URL{Scheme: "file", Path: path, RawQuery: "mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(ON)&_pragma=cache_size(-64000)&_pragma=mmap_size(2147418112)&_defensive=1"}
	return openNamed(file.String())
}

// openNamed opens a database by its data source name, as the driver understands
// it.
func openNamed(name string) (*dbx.DB, error) {
	inner, err := NewConnector(name)
	if err != nil {
		return nil, err
	}
	return dbx.NewFromDB(sql.OpenDB(connector{inner}), "sqlite"), nil
}

// NewConnector is the driver's own connector, for Connect. Errors: a name that
// the driver does not understand.
func NewConnector(name string) (driver.Connector, error) {
	c, err := sqlite.NewConnector(name)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return c, nil
}

// connector opens connections that keep their statements.
type connector struct{ driver.Connector }

// Connect is of driver.Connector.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	return Connect(ctx, c.Connector)
}

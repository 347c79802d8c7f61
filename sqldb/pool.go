package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"sync"
)

// pool is a number of connections, each with the statements that were prepared on it.
type pool struct {
	db      *sql.DB
	dialect Dialect
	begin   string        // begins a transaction
	slots   chan struct{} // one for each connection in use

	mu   sync.Mutex
	free []*conn
}

// conn is one connection, which one transaction uses at a time.
type conn struct {
	*sql.Conn
	dialect    Dialect
	statements map[string]*sql.Stmt
}

// maxStatements bounds how many statements a connection keeps ready. Searches are put together and could be of any number.
const maxStatements = 256

func newPool(db *sql.DB, d Dialect, begin string, size int) *pool {
	return &pool{db: db, dialect: d, begin: begin, slots: make(chan struct{}, size)}
}

// open begins a transaction. Its end is by finish.
func (p *pool) open(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, p.dialect.fault(ctx, err)
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, p.dialect.fault(ctx, ctx.Err())
	}
	c, err := p.take(ctx)
	if err == nil {
		if err = c.run(ctx, p.begin); err == nil {
			return c, nil
		}
		err = errors.Join(err, c.Close())
	}
	<-p.slots
	return nil, p.dialect.fault(ctx, err)
}

func (p *pool) take(ctx context.Context) (*conn, error) {
	p.mu.Lock()
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	c, err := p.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, dialect: p.dialect, statements: map[string]*sql.Stmt{}}, nil
}

// finish ends a transaction with COMMIT or ROLLBACK. A connection that fails at it is not used again, which ends the transaction as well.
func (p *pool) finish(c *conn, how string) error {
	defer func() { <-p.slots }()
	// The end is not the caller's to cancel: half an end is none.
	err := c.run(context.Background(), how)
	if err != nil {
		return p.dialect.fault(context.Background(), errors.Join(err, c.drop()))
	}
	p.mu.Lock()
	p.free = append(p.free, c)
	p.mu.Unlock()
	return nil
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, c := range p.free {
		errs = append(errs, c.drop())
	}
	p.free = nil
	return errors.Join(append(errs, p.db.Close())...)
}

// drop closes the connection for good.
func (c *conn) drop() error {
	var errs []error
	for _, s := range c.statements {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.Conn.Close())...)
}

func (c *conn) run(ctx context.Context, query string) error {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx)
	return err
}

// prepare returns a statement, prepared once. When there are too many, an arbitrary one is given up.
func (c *conn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := c.statements[query]; ok {
		return s, nil
	}
	text := query
	if c.dialect.Dollars {
		text = dollars(query)
	}
	s, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if len(c.statements) >= maxStatements {
		for q, old := range c.statements {
			delete(c.statements, q)
			if err := old.Close(); err != nil {
				return nil, errors.Join(err, s.Close())
			}
			break
		}
	}
	c.statements[query] = s
	return s, nil
}

// dollars writes the question marks outside quotes as $1, $2 …
func dollars(query string) string {
	var b strings.Builder
	n := 0
	var quote byte
	for i := range len(query) {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '?':
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"salus/convert"
	"salus/convert/collection"
	"salus/convert/engine"
	"salus/convert/hl7v2"
	"salus/convert/templates"
	"salus/fault"
)

// convertCmd is `salus convert`.
type convertCmd struct {
	Run  convertRunCmd  `cmd:"" default:"withargs" help:"Convert messages and documents by templates."`
	Test convertTestCmd `cmd:"" help:"Convert the inputs of a folder of cases, and compare with what is expected."`
}

// convertWith are the templates and what they are for.
type convertWith struct {
	Templates string `help:"Folder of templates, or a .tar.gz of them. Default: those for HL7 v2 that Salus brings with it." type:"existing" placeholder:"DIR" env:"SALUS_TEMPLATES"`
	Type      string `help:"What is converted: hl7v2, ccda, json, fhir (STU3) or fhirToHl7v2. Default: what metadata.json of the templates says, or the file's extension." placeholder:"TYPE"`
	Dates     bool   `help:"In JSON, take texts that look like dates for instants, as the reference service does unless it is told otherwise."`
}

// convertRunCmd is `salus convert`.
type convertRunCmd struct {
	convertWith `embed:""`
	Input       string `required:"" help:"File, folder, or - for standard input." placeholder:"FILE" short:"i"`
	Template    string `help:"Root template, such as ADT_A01. Default for HL7v2: message and event type in MSH-9." placeholder:"NAME"`
	Out         string `help:"Folder for the results of a folder, which is made when missing." placeholder:"DIR" short:"o"`
	Unused      bool   `help:"List on standard error what of messages no template looked at."`
}

// open reads the templates.
func (c *convertWith) open() (*engine.Converter, error) {
	files := templates.HL7v2()
	if c.Templates != "" {
		var err error
		if files, err = collection.Open(c.Templates); err != nil {
			return nil, err
		}
	}
	if c.Type == "" {
		c.Type = collection.Type(files)
	}
	converter, err := engine.New(files, engine.Options{})
	if err != nil {
		return nil, conversionFault(err)
	}
	return converter, nil
}

// source tells what a file is.
func (c *convertWith) source(name string) (convert.Source, error) {
	typ := c.Type
	if typ == "" {
		typ = map[string]string{".hl7": "hl7v2", ".xml": "ccda", ".ccda": "ccda", ".json": "json"}[strings.ToLower(filepath.Ext(name))]
	}
	s, ok := convert.ParseSource(typ)
	if !ok {
		return 0, fault.New(fault.Invalid, "--type must be hl7v2, ccda, json, fhir or fhirToHl7v2")
	}
	return s, nil
}

// conversionFault makes a fault of what the converter says.
func conversionFault(err error) error {
	var e *convert.Error
	if !errors.As(err, &e) {
		return err
	}
	if inner := new(*convert.Error); e.Cause == nil || errors.As(e.Cause, inner) {
		return fault.New(fault.Invalid, "%s", e.Error()) // which says what its cause does
	}
	return fault.Wrap(fault.Invalid, e.Cause, "%s", e.Error())
}

// convertFile converts one input.
func (c *convertWith) convertFile(ctx context.Context, converter *engine.Converter, name, template string, input []byte) (convert.Result, error) {
	s, err := c.source(name)
	if err != nil {
		return convert.Result{}, err
	}
	if template == "" && s == convert.HL7v2 {
		template = messageTemplate(input)
	}
	if template == "" {
		return convert.Result{}, fault.New(fault.Invalid, "--template must name the root template, unless MSH-9 of a message does")
	}
	result, err := converter.Convert(ctx, convert.Request{Source: s, Template: template, Input: input, DatesAsStrings: !c.Dates})
	if err != nil {
		return result, conversionFault(err)
	}
	return result, nil
}

// messageTemplate returns the template that MSH-9 names: message and event type.
func messageTemplate(message []byte) string {
	message = bytes.TrimPrefix(message, []byte("\xEF\xBB\xBF"))
	line, _, _ := bytes.Cut(message, []byte("\n"))
	line, _, _ = bytes.Cut(line, []byte("\r"))
	if len(line) < 8 {
		return ""
	}
	fields := bytes.Split(line, line[3:4])
	if len(fields) < 9 {
		return ""
	}
	parts := bytes.Split(fields[8], line[4:5])
	if len(parts) < 2 {
		return ""
	}
	return string(parts[0]) + "_" + string(parts[1])
}

// Run converts a file, or each of a folder's.
func (c *convertRunCmd) Run(ctx context.Context, t *terminal) error {
	converter, err := c.open()
	if err != nil {
		return err
	}
	if c.Input == "-" {
		b, err := io.ReadAll(os.Stdin)
		if err != nil {
			return err
		}
		return c.each(ctx, t, converter, "-", b)
	}
	info, err := os.Stat(c.Input)
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "the input cannot be read")
	}
	if !info.IsDir() {
		b, err := os.ReadFile(c.Input)
		if err != nil {
			return fault.Wrap(fault.NotFound, err, "the input cannot be read")
		}
		return c.each(ctx, t, converter, c.Input, b)
	}
	return c.folder(ctx, t, converter)
}

// folder converts the files of a folder into another.
func (c *convertRunCmd) folder(ctx context.Context, t *terminal, converter *engine.Converter) error {
	if c.Out == "" {
		return fault.New(fault.Invalid, "--out must name a folder for the results")
	}
	if err := os.MkdirAll(c.Out, 0o750); err != nil {
		return fault.Wrap(fault.Invalid, err, "the folder for the results cannot be made")
	}
	entries, err := os.ReadDir(c.Input)
	if err != nil {
		return fault.Wrap(fault.NotFound, err, "the input cannot be read")
	}
	done, failed := 0, 0
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(c.Input, e.Name()))
		if err != nil {
			return err
		}
		inputs := c.split(e.Name(), b)
		for i, input := range inputs {
			name, label := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), e.Name()
			if len(inputs) > 1 {
				name, label = fmt.Sprintf("%s.%d", name, i+1), fmt.Sprintf("%s, message %d", label, i+1)
			}
			var out bytes.Buffer
			if err := c.one(ctx, t, converter, e.Name(), input, &out); err != nil {
				failed++
				fmt.Fprintf(t.err, "salus: %s: %s\n", label, fault.As(err).Message)
				continue
			}
			if err := os.WriteFile(filepath.Join(c.Out, name+".json"), out.Bytes(), 0o640); err != nil {
				return err
			}
			done++
		}
	}
	fmt.Fprintf(t.err, "%d converted, %d failed\n", done, failed)
	if failed > 0 {
		return fault.New(fault.Invalid, "%d inputs were not converted", failed)
	}
	return nil
}

// split parts a file of HL7 v2 into its messages.
func (c *convertRunCmd) split(name string, input []byte) [][]byte {
	if s, err := c.source(name); err != nil || s != convert.HL7v2 {
		return [][]byte{input}
	}
	var all [][]byte
	for _, message := range hl7v2.Split(string(bytes.TrimPrefix(input, []byte("\xEF\xBB\xBF")))) {
		all = append(all, []byte(message))
	}
	return all
}

// each converts the inputs in a file and writes what they become, one behind the other.
func (c *convertRunCmd) each(ctx context.Context, t *terminal, converter *engine.Converter, name string, input []byte) error {
	for _, one := range c.split(name, input) {
		if err := c.one(ctx, t, converter, name, one, t.out); err != nil {
			return err
		}
	}
	return nil
}

// one converts an input and writes what it becomes.
func (c *convertRunCmd) one(ctx context.Context, t *terminal, converter *engine.Converter, name string, input []byte, out io.Writer) error {
	result, err := c.convertFile(ctx, converter, name, c.Template, input)
	if err != nil {
		return err
	}
	for _, u := range result.Unused {
		if c.Unused {
			fmt.Fprintf(t.err, "%s: line %d: %s: %d components were not looked at\n", name, u.Line, u.Type, len(u.Components))
		}
	}
	output := result.Output
	if !bytes.HasSuffix(output, []byte("\n")) {
		output = append(output, '\n')
	}
	_, err = out.Write(output)
	return err
}

// convertTestCmd is `salus convert test`.
type convertTestCmd struct {
	convertWith `embed:""`
	Template    string `help:"Root template of all cases. Default: the name of the folder that a case is in." placeholder:"NAME"`
	Cases       string `arg:"" help:"Folder of cases: an input, such as a.hl7, and beside it a.expected.json." type:"existingdir"`
}

// Run converts every input and tells where results differ.
func (c *convertTestCmd) Run(ctx context.Context, t *terminal) error {
	converter, err := c.open()
	if err != nil {
		return err
	}
	passed, failed := 0, 0
	err = filepath.WalkDir(c.Cases, func(path string, d fs.DirEntry, err error) error {
		base, is := strings.CutSuffix(path, ".expected.json")
		if err != nil || d.IsDir() || !is {
			return err
		}
		expected, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		difference, err := c.try(ctx, converter, base, expected)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(c.Cases, base)
		if err != nil {
			return err
		}
		if difference != "" {
			failed++
			fmt.Fprintf(t.out, "FAIL %s: %s\n", name, difference)
			return nil
		}
		passed++
		fmt.Fprintf(t.out, "ok   %s\n", name)
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%d passed, %d failed\n", passed, failed)
	switch {
	case failed > 0:
		return fault.New(fault.Invalid, "%d cases failed", failed)
	case passed == 0:
		return fault.New(fault.NotFound, "the folder has no case: no file ends in .expected.json")
	}
	return nil
}

// try converts the input of a case and returns how the result differs.
func (c *convertTestCmd) try(ctx context.Context, converter *engine.Converter, base string, expected []byte) (string, error) {
	inputs, err := filepath.Glob(base + ".*")
	if err != nil {
		return "", err
	}
	inputs = slices.DeleteFunc(inputs, func(s string) bool { return strings.HasSuffix(s, ".expected.json") })
	if len(inputs) != 1 {
		return fmt.Sprintf("there must be one input, and there are %d", len(inputs)), nil
	}
	input, err := os.ReadFile(inputs[0])
	if err != nil {
		return "", err
	}
	template := c.Template
	if template == "" {
		template = filepath.Base(filepath.Dir(base))
	}
	result, err := c.convertFile(ctx, converter, inputs[0], template, input)
	if err != nil {
		return fault.As(err).Message, nil
	}
	return engine.Difference(expected, result.Output), nil
}

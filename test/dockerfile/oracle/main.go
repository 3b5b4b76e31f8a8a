// The oracle reads Dockerfiles as BuildKit does: one JSON object {"text": …} a line on stdin, one answer a line on
// stdout. README.md says how to run it.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

type heredoc struct {
	Name    string `json:"name"`
	Content string `json:"content"`
}

type instruction struct {
	// As it is written, with the trigger of ONBUILD behind it.
	Keyword  string    `json:"keyword"`
	First    int       `json:"first"`
	Last     int       `json:"last"`
	Flags    []string  `json:"flags,omitempty"`
	Args     []string  `json:"args,omitempty"`
	JSON     bool      `json:"json,omitempty"`
	Heredocs []heredoc `json:"heredocs,omitempty"`
	// BuildKit does not build this instruction.
	Refused bool `json:"refused,omitempty"`
}

type answer struct {
	// Line of an error that leaves nothing of the file, 0 for none.
	Fatal        int           `json:"fatal,omitempty"`
	Error        string        `json:"error,omitempty"`
	Escape       string        `json:"escape,omitempty"`
	Syntax       string        `json:"syntax,omitempty"`
	Instructions []instruction `json:"instructions,omitempty"`
}

// everything is an environment in which each name is set, so that no ${NAME:?message} speaks up.
type everything struct{}

func (everything) Get(string) (string, bool) { return "x", true }
func (everything) Keys() []string            { return nil }

func args(node *parser.Node) []string {
	var list []string
	for next := node.Next; next != nil; next = next.Next {
		list = append(list, next.Value)
	}
	return list
}

// refused reports whether parsing the instruction, or filling in its variables, fails.
func refused(node *parser.Node, escape rune, stage bool) bool {
	// Without a linter, a comment above an instruction is more than it expects.
	quiet := linter.New(&linter.Config{SkipAll: true})
	one, err := instructions.ParseInstructionWithLinter(node, quiet)
	if err != nil {
		return true
	}
	_, isStage := one.(*instructions.Stage)
	_, isArgument := one.(*instructions.ArgCommand)
	if !stage && !isStage && !isArgument {
		return true
	}
	lex := shell.NewLex(escape)
	if from, ok := one.(*instructions.Stage); ok {
		_, _, err := lex.ProcessWord(from.BaseName, everything{})
		return err != nil
	}
	// The mounts of RUN depend on values.
	if _, ok := one.(*instructions.RunCommand); ok {
		return false
	}
	if each, ok := one.(instructions.SupportsSingleWordExpansion); ok {
		return each.Expand(func(word string) (string, error) {
			result, _, err := lex.ProcessWord(word, everything{})
			return result, err
		}) != nil
	}
	return false
}

func read(text string) answer {
	var out answer
	out.Syntax, _, _, _ = parser.DetectSyntax([]byte(text))
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		out.Error = err.Error()
		var located *parser.LocationError
		if errors.As(err, &located) && len(located.Locations) > 0 && len(located.Locations[0]) > 0 {
			out.Fatal = located.Locations[0][0].Start.Line
		}
		return out
	}
	out.Escape = string(result.EscapeToken)
	stage := false
	for _, node := range result.AST.Children {
		one := instruction{
			Keyword: node.Value, First: node.StartLine, Last: node.EndLine, Flags: node.Flags,
			JSON: node.Attributes["json"], Refused: refused(node, result.EscapeToken, stage),
		}
		if strings.EqualFold(node.Value, "from") {
			stage = true
		}
		inner := node
		if strings.EqualFold(node.Value, "onbuild") && node.Next != nil && len(node.Next.Children) == 1 {
			inner = node.Next.Children[0]
			one.Keyword += " " + inner.Value
			one.Flags = append(one.Flags, inner.Flags...)
			one.JSON = inner.Attributes["json"]
		}
		one.Args = args(inner)
		for _, each := range node.Heredocs {
			one.Heredocs = append(one.Heredocs, heredoc{Name: each.Name, Content: each.Content})
		}
		out.Instructions = append(out.Instructions, one)
	}
	return out
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for in.Scan() {
		var request struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(in.Bytes(), &request); err != nil {
			panic(err)
		}
		if err := encoder.Encode(read(request.Text)); err != nil {
			panic(err)
		}
	}
	if err := errors.Join(in.Err(), out.Flush()); err != nil {
		panic(err)
	}
}

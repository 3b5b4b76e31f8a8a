/**
 * Code of other languages is read by its words: what names no way to the network, to other programs or to code made at
 * run time can do no more than the program that runs it. Everything else is not read, and that is reported.
 */
const means: Readonly<Record<string, RegExp>> = {
  python:
    /\b(?:urllib\w*|requests|httpx?|aiohttp|pycurl|socket|ssl|ftplib|smtplib|telnetlib|xmlrpc|webbrowser|wget|subprocess|pty|popen\w*|spawn\w*|system|exec\w*|eval|compile|__\w+__|getattr|importlib|imp|runpy|pip|ensurepip|setuptools|ctypes|cffi|marshal|pickle|base64|codecs|zlib|fromhex|multiprocessing|asyncio|nltk|huggingface_hub|from_pretrained|load_dataset|download\w*)\b/,
  node: /\b(?:https?|http2|net|tls|dgram|dns|fetch|XMLHttpRequest|WebSocket|child_process|cluster|exec\w*|spawn\w*|fork|eval|Function|vm|import|binding|dlopen|atob|constructor|worker_threads)\b|\brequire\s*\(\s*[^'"\s]/,
  perl: /`|\b(?:system|exec|qx|eval|require|do|open|pipe|fork|syscall|LWP\w*|HTTP|Net|IO|Socket|Mojo|pack|unpack|CPAN)\b|s\/[^/]*\/[^/]*\/\w*e/,
  ruby: /`|%x|\b(?:Net|URI|open|OpenURI|Socket|TCPSocket|HTTP\w*|Faraday|system|exec|spawn|popen\w*|fork|eval|\w+_eval|send|__send__|Open3|Kernel|load|require|Gem|unpack\w*|Base64|Marshal)\b/,
  php: /`|\b(?:copy|file_get_contents|f?open|fsockopen|stream_\w+|curl_\w+|readfile|file|include\w*|require\w*|exec|shell_exec|system|passthru|popen|proc_open|pcntl_\w+|eval|assert|create_function|call_user_func\w*|base64_decode)\b|\$\w+\s*\(/,
  awk: /\bsystem\s*\(|\|\s*&?\s*(?:getline|")|"\s*\|\s*getline|\/inet\//,
};

/** foreignMeans returns what a piece of code names that goes beyond its program; the language where none of it is read. */
export function foreignMeans(language: string, code: string): string | undefined {
  const pattern = Object.hasOwn(means, language) ? means[language] : undefined;
  return pattern === undefined ? `code for ${language}` : pattern.exec(code)?.[0];
}

/** languageOf returns the language that a program runs, undefined for one that is no interpreter. */
export function languageOf(program: string): string | undefined {
  const name = program.toLowerCase().replace(/\.exe$/, '');
  if (/^(?:python|pypy)[0-9.]*$/.test(name)) return 'python';
  if (/^(?:node|nodejs|bun|deno)$/.test(name)) return 'node';
  if (/^perl[0-9.]*$/.test(name)) return 'perl';
  if (/^ruby[0-9.]*$/.test(name)) return 'ruby';
  if (/^php[0-9.]*$/.test(name)) return 'php';
  if (/^(?:g|m|n)?awk$/.test(name)) return 'awk';
  if (/^(?:pwsh|powershell)$/.test(name)) return 'PowerShell';
  if (name === 'cmd') return 'cmd';
  if (
    /^(?:tclsh|expect|lua(?:jit)?[0-9.]*|rscript|r|julia|fish|tcsh|csh|xonsh|nu|elvish|osascript|guile|sbcl|ghci?|groovy|scala|clojure|iex|elixir|erl)$/.test(
      name,
    )
  )
    return name;
  return undefined;
}

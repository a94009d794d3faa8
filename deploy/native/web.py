"""One HTTP request to a server of ours."""
import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request


def request(method, url, body=None, token=None, authority=None, login=None):
    """(status, text); status 0 when nobody answers. No proxy: it could not reach this machine's loopback.

    A body that is a text is a form's. `login` is "user:password".
    """
    headers = {"Content-Type": "application/x-www-form-urlencoded" if isinstance(body, str) else "application/json"}
    if token:
        headers["Authorization"] = f"Token {token}"
    elif login:
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    data = body if body is None or isinstance(body, str) else json.dumps(body)
    call = urllib.request.Request(url, method=method, headers=headers, data=None if data is None else data.encode())
    try:
        handlers = [urllib.request.ProxyHandler({})]
        if authority:
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority)))
        with urllib.request.build_opener(*handlers).open(call, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""

"""Training steps of the neural acquisition process in PyTorch, for `peer_torch`.

The first line of standard input is a job: the network's tensors by name ([shape, values], a matrix is
inputs x outputs), its sizes, and a batch of contexts. The first line of standard output answers with
the loss, the logits and the gradient by every tensor. Each further line asks for one step and is answered
by its seconds; the last answer, at the end of the input, is the memory that the process has used.

Every variant computes the same numbers on one thread, forward and backward, in single precision:

plain     all tokens attend to all tokens under a dense mask
fused     the same, by PyTorch's fused attention with the mask as a bias
split     the history attends to itself; candidates to the history and to themselves, so that the cost
          is not quadratic in the candidates
compiled  split, through torch.compile
"""

import json
import math
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def resident():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024.0
    return 0.0


class Attention:
    """How each variant attends; q, k, v are batch x heads x tokens x size, the history first."""

    def __init__(self, variant, history, tokens, size):
        self.variant, self.history, self.scale = variant, history, 1.0 / math.sqrt(size)
        index = torch.arange(tokens)
        self.visible = (index[None, :] < history) | (index[None, :] == index[:, None])
        self.bias = torch.zeros(tokens, tokens).masked_fill(~self.visible, float("-inf"))

    def __call__(self, q, k, v):
        if self.variant == "plain":
            scores = q @ k.transpose(-1, -2) * self.scale + self.bias
            return torch.softmax(scores, -1) @ v
        if self.variant == "fused":
            return F.scaled_dot_product_attention(q, k, v, attn_mask=self.bias)
        n = self.history
        past_k, past_v = k[:, :, :n], v[:, :, :n]
        past = F.scaled_dot_product_attention(q[:, :, :n], past_k, past_v)
        own_q, own_k, own_v = q[:, :, n:], k[:, :, n:], v[:, :, n:]
        scores = own_q @ past_k.transpose(-1, -2)
        own = (own_q * own_k).sum(-1, keepdim=True)
        p = torch.softmax(torch.cat([scores, own], -1) * self.scale, -1)
        queries = p[..., :n] @ past_v + p[..., n:] * own_v
        return torch.cat([past, queries], 2)


class Step:
    def __init__(self, job, variant):
        self.sizes = job["sizes"]
        self.tensors = {}
        for name, (shape, values) in job["tensors"].items():
            tensor = torch.tensor(values, dtype=torch.float32).reshape(shape)
            # PyTorch multiplies by transposed weights.
            tensor = tensor.T.contiguous() if len(shape) == 2 else tensor
            self.tensors[name] = nn.Parameter(tensor)
        d = self.sizes["inputs"]
        batch = len(job["history_y"])
        self.history_x = torch.tensor(job["history_x"]).reshape(batch, -1, d)
        self.history_y = torch.tensor(job["history_y"]).reshape(batch, -1, 1)
        self.queries = torch.tensor(job["queries"]).reshape(batch, -1, d)
        self.targets = torch.tensor(job["targets"]).reshape(-1)
        n, tokens = self.history_x.shape[1], self.history_x.shape[1] + self.queries.shape[1]
        size = self.sizes["width"] // self.sizes["heads"]
        self.attention = Attention(variant, n, tokens, size)
        self.forward = torch.compile(self.network) if variant == "compiled" else self.network

    def linear(self, name, x):
        return F.linear(x, self.tensors[name + ".weight"], self.tensors[name + ".bias"])

    def norm(self, name, x):
        gain, bias = self.tensors[name + ".gain"], self.tensors[name + ".bias"]
        return F.layer_norm(x, (x.shape[-1],), gain, bias, 1e-5)

    def network(self):
        past = self.linear("embed.x", self.history_x) + self.linear("embed.y", self.history_y)
        x = torch.cat([past, self.linear("embed.x", self.queries)], 1)
        batch, tokens, width = x.shape
        heads = self.sizes["heads"]
        for layer in range(self.sizes["layers"]):
            name = f"layers.{layer}"
            projected = self.linear(f"{name}.attention.project", x)
            projected = projected.reshape(batch, tokens, 3, heads, width // heads)
            q, k, v = projected.permute(2, 0, 3, 1, 4)
            attended = self.attention(q, k, v).transpose(1, 2).reshape(batch, tokens, width)
            merged = self.linear(f"{name}.attention.merge", attended)
            x = self.norm(f"{name}.attention.norm", x + merged)
            hidden = F.gelu(self.linear(f"{name}.feed_forward.up", x))
            down = self.linear(f"{name}.feed_forward.down", hidden)
            x = self.norm(f"{name}.feed_forward.norm", x + down)
        hidden = F.gelu(self.linear("bar.hidden", x[:, self.history_x.shape[1] :]))
        return self.linear("bar.logits", hidden)

    def __call__(self):
        for tensor in self.tensors.values():
            tensor.grad = None
        logits = self.forward()
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), self.targets)
        loss.backward()
        return loss, logits


def answer(value):
    print(json.dumps(value), flush=True)


def main():
    variant = sys.argv[1]
    torch.set_num_threads(1)
    step = Step(json.loads(sys.stdin.readline()), variant)
    before = resident()
    loss, logits = step()
    gradients = {}
    for name, tensor in step.tensors.items():
        if tensor.grad is not None:
            grad = tensor.grad.T if tensor.dim() == 2 else tensor.grad
            gradients[name] = grad.reshape(-1).tolist()
    result = {"loss": loss.item(), "logits": logits.detach().reshape(-1).tolist()}
    answer({**result, "gradients": gradients, "version": torch.__version__})
    del loss, logits
    for _ in sys.stdin:
        start, processor = time.perf_counter(), time.process_time()
        step()
        answer(
            {
                "seconds": time.perf_counter() - start,
                "cpu_seconds": time.process_time() - processor,
            }
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    answer({"before": before, "peak": peak})


main()

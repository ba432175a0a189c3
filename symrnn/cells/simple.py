"""Cells without gates, and cells with one or two gates and no memory beside the output.

In all of them W maps the input, U the previous state; `*` in the docstrings is element by element.
"""

from __future__ import annotations

from symrnn.cells.catalogue import plain as family
from symrnn.language.recurrence import Cell
from symrnn.variants import renamed, with_activation, with_two_biases, without_activation


@family.cell
def rnn(x, h, *, W, U, b):
    """Simple recurrent network.

    Source: Elman (1990), "Finding Structure in Time", Cognitive Science 14(2), with tanh; Keras's SimpleRNN, Flax's
        SimpleCell.
    Variant: tanh, one bias.
    Not: Jordan's network (1986), whose recurrence is from the output layer; PyTorch's RNN has two biases, whose sum
        is b.

        h_t = tanh(W x_t + U h_{t-1} + b)    state

    Symbols: W input weights; U recurrent weights; b bias.
    """
    h = tanh(W @ x + U @ h + b)
    return h


@family.variant
def rnn_sigmoid() -> Cell:
    """Simple recurrent network with sigmoid.

    Source: Elman (1990), "Finding Structure in Time", Cognitive Science 14(2), whose units are logistic.
    Variant: sigmoid, one bias.
    Not: a gated cell: the sigmoid is the state's activation and no gate.
    """
    return with_activation(rnn.cell, "h", "sigmoid")


@family.variant
def rnn_relu() -> Cell:
    """Simple recurrent network with relu.

    Source: Le, Jaitly & Hinton (2015), "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units",
        arXiv:1504.00941.
    Variant: relu, one bias; the IRNN is this cell with U = I and b = 0 at the start of training.
    Not: the IndRNN, whose recurrent weights are a vector.
    """
    return with_activation(rnn.cell, "h", "relu")


@family.variant
def rnn_linear() -> Cell:
    """Linear recurrent network.

    Source: Saxe, McClelland & Ganguli (2014), "Exact Solutions to the Nonlinear Dynamics of Learning in Deep Linear
        Neural Networks", arXiv:1312.6120, for linear networks; the recurrence of a linear state space model.
    Variant: no activation, one bias.
    Not: the LRU, whose recurrence is diagonal and complex.
    """
    return without_activation(rnn.cell, "h")


@family.variant
def rnn_two_biases() -> Cell:
    """Simple recurrent network with two biases.

    Source: PyTorch, torch.nn.RNN; ONNX, operator RNN; the cell is that of Elman (1990).
    Variant: tanh; a bias on the input side (b, PyTorch's bias_ih) and one on the recurrent side (c, bias_hh).
    Not: another function than rnn: only b + c counts.
    """
    return with_two_biases(rnn.cell)


@family.variant
def rnn_relu_two_biases() -> Cell:
    """Simple recurrent network with relu and two biases.

    Source: PyTorch, torch.nn.RNN(nonlinearity="relu").
    Variant: relu; a bias on the input side (b, PyTorch's bias_ih) and one on the recurrent side (c, bias_hh).
    Not: another function than rnn_relu: only b + c counts.
    """
    return with_two_biases(rnn_relu.cell)


@family.cell
def indrnn(x, h, *, W, u, b):
    """Independently recurrent network (IndRNN).

    Source: Li, Li, Cook, Zhu & Gao (2018), "Independently Recurrent Neural Network (IndRNN)", arXiv:1803.04831,
        section 3.
    Variant: relu, as in the paper's experiments; one recurrent weight per entry.
    Not: the IRNN (rnn_relu with U = I at the start); haste's IndRNN, which has tanh.

        h_t = relu(W x_t + u * h_{t-1} + b)    state

    Symbols: W input weights; u recurrent weights, one per entry; b bias.
    """
    h = relu(W @ x + u * h + b)
    return h


@family.cell
def antisymmetric_rnn(x, h, *, W, U, b, eps=0.01, gamma=0.01):
    """Antisymmetric recurrent network.

    Source: Chang, Chen, Haber & Chi (2019), "AntisymmetricRNN: A Dynamical System View on Recurrent Neural
        Networks", arXiv:1902.09689, section 3.
    Variant: without gating; the step size and the diffusion are constants, which the paper chooses for each task.
    Not: the gated variant of the same paper, which multiplies the step by a gate.

        a_t = (U - U^T) h_{t-1} - gamma * h_{t-1} + W x_t + b    pre-activation
        h_t = h_{t-1} + eps * tanh(a_t)                          state

    Symbols: W input weights; U recurrent weights, of which the antisymmetric part counts; b bias; eps step size;
        gamma strength of the diffusion.
    """
    a = (U - U.T) @ h - gamma * h + W @ x + b
    h = h + eps * tanh(a)
    return h


@family.cell
def scrn(x, h, s, *, B: "d_s, d_x", P, A, R, alpha=0.95):
    """Structurally constrained recurrent network (SCRN).

    Source: Mikolov, Joulin, Chopra, Mathieu & Ranzato (2015), "Learning Longer Memory in Recurrent Neural
        Networks", arXiv:1412.7753, section 3.
    Variant: one alpha for all context units; no biases; the output layer, softmax(U h_t + V s_t), is not part of
        the cell.
    Not: a cell whose context s sees h: s is a moving average of the input alone.

        s_t = (1 - alpha) * B x_t + alpha * s_{t-1}    context
        h_t = sigmoid(P s_t + A x_t + R h_{t-1})       state

    Symbols: B input weights of the context; P weights from the context; A input weights; R recurrent weights; alpha
        share of the context that stays, a constant, 0.95 in the paper.
    """
    s = (1 - alpha) * (B @ x) + alpha * s
    h = sigmoid(P @ s + A @ x + R @ h)
    return h, s


@family.cell
def ugrnn(x, h, *, W_g, U_g, b_g, W_n, U_n, b_n):
    """Update gate recurrent network (UGRNN).

    Source: Collins, Sohl-Dickstein & Sussillo (2017), "Capacity and Trainability in Recurrent Neural Networks",
        arXiv:1611.09913.
    Variant: the gate weighs the old state; tanh in the candidate; one bias each.
    Not: TensorFlow's UGRNNCell, which adds a forget bias of 1 at run time; the MGU, whose gate also resets.

        g_t = sigmoid(W_g x_t + U_g h_{t-1} + b_g)    update gate
        n_t = tanh(W_n x_t + U_n h_{t-1} + b_n)       candidate
        h_t = g_t * h_{t-1} + (1 - g_t) * n_t         state

    Symbols: W input weights; U recurrent weights; b biases.
    """
    g = sigmoid(W_g @ x + U_g @ h + b_g)
    n = tanh(W_n @ x + U_n @ h + b_n)
    h = g * h + (1 - g) * n
    return h


@family.variant
def ligru() -> Cell:
    """Light gated recurrent unit (Li-GRU).

    Source: Ravanelli, Brakel, Omologo & Bengio (2018), "Light Gated Recurrent Units for Speech Recognition",
        arXiv:1803.10225, section III.
    Variant: the gate weighs the old state; relu in the candidate; without the paper's batch normalisation of W x,
        whose shift the biases are.
    Not: a GRU with relu: there is no reset gate; implementations with tanh.
    """
    return renamed(with_activation(ugrnn.cell, "n", "relu"), names={"g": "z", "W_g": "W_z", "U_g": "U_z", "b_g": "b_z"})


@family.cell
def mgu(x, h, *, W_f, U_f, b_f, W_n, U_n, b_n):
    """Minimal gated unit (MGU).

    Source: Zhou, Wu, Zhang & Zhou (2016), "Minimal Gated Unit for Recurrent Neural Networks", arXiv:1603.09420,
        section 3.
    Variant: the paper's: the gate acts on h before U_n, and f_t weighs the candidate.
    Not: mgu_flax, where the gate acts after the product and weighs the old state.

        f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)         forget gate
        n_t = tanh(W_n x_t + U_n (f_t * h_{t-1}) + b_n)    candidate
        h_t = (1 - f_t) * h_{t-1} + f_t * n_t              state

    Symbols: W input weights; U recurrent weights; b biases.
    """
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    n = tanh(W_n @ x + U_n @ (f * h) + b_n)
    h = (1 - f) * h + f * n
    return h


@family.cell
def mgu_flax(x, h, *, W_f, U_f, b_f, W_n, U_n, b_n, c_n):
    """Minimal gated unit as in Flax.

    Source: Flax, flax.linen.MGUCell, after Zhou, Wu, Zhang & Zhou (2016), arXiv:1603.09420.
    Variant: the gate acts on U_n h_{t-1} + c_n, after the product; f_t weighs the old state; no recurrent bias in
        the gate.
    Not: the paper's mgu, where f_t weighs the candidate and acts before the product: no parameters make the two the
        same function.

        f_t = sigmoid(W_f x_t + U_f h_{t-1} + b_f)               forget gate
        n_t = tanh(W_n x_t + b_n + f_t * (U_n h_{t-1} + c_n))    candidate
        h_t = (1 - f_t) * n_t + f_t * h_{t-1}                    state

    Symbols: W input weights; U recurrent weights; b biases; c bias inside the reset.
    """
    f = sigmoid(W_f @ x + U_f @ h + b_f)
    n = tanh(W_n @ x + b_n + f * (U_n @ h + c_n))
    h = (1 - f) * n + f * h
    return h


@family.cell
def minimal_rnn(x, h, *, W, b, U, V, c):
    """Minimal recurrent network (MinimalRNN).

    Source: Chen (2017), "MinimalRNN: Toward More Interpretable and Trainable Recurrent Neural Networks",
        arXiv:1711.06788, section 2.
    Variant: the encoder of the input is one layer with tanh.
    Not: the minGRU, whose gate does not see the state; the UGRNN, whose candidate does.

        z_t = tanh(W x_t + b)                    encoded input
        u_t = sigmoid(U h_{t-1} + V z_t + c)     update gate
        h_t = u_t * h_{t-1} + (1 - u_t) * z_t    state

    Symbols: W input weights of the encoder; b bias of the encoder; U recurrent weights of the gate; V weights of
        the gate on the encoded input; c bias of the gate.
    """
    z = tanh(W @ x + b)
    u = sigmoid(U @ h + V @ z + c)
    h = u * h + (1 - u) * z
    return h


@family.cell
def fastgrnn(x, h, *, W, U, b_z, b_n, zeta: "()", nu: "()"):
    """Fast gated recurrent network (FastGRNN).

    Source: Kusupati, Singh, Bhatia, Kumar, Jain & Varma (2018), "FastGRNN: A Fast, Accurate, Stable and Tiny
        Kilobyte Sized Gated Recurrent Neural Network", arXiv:1901.02358, section 3.
    Variant: gate and candidate share W and U; sigmoid in the gate; full matrices.
    Not: FastRNN of the same paper, which has two scalars and no gate; its low-rank, sparse and quantised forms.

        a_t = W x_t + U h_{t-1}                                shared pre-activation
        z_t = sigmoid(a_t + b_z)                               gate
        n_t = tanh(a_t + b_n)                                  candidate
        h_t = (zeta * (1 - z_t) + nu) * n_t + z_t * h_{t-1}    state

    Symbols: W input weights; U recurrent weights; b biases; zeta scalar from 0 to 1; nu scalar from 0 to 1.
    """
    a = W @ x + U @ h
    z = sigmoid(a + b_z)
    n = tanh(a + b_n)
    h = (zeta * (1 - z) + nu) * n + z * h
    return h


@family.cell
def rhn(x, h, *, W_n, U_n, b_n, W_g, U_g, b_g, W_k, U_k, b_k, V_n, d_n, V_g, d_g, V_k, d_k):
    """Recurrent highway network of depth 2 (RHN).

    Source: Zilly, Srivastava, Koutnik & Schmidhuber (2017), "Recurrent Highway Networks", arXiv:1607.03474, section
        4, equations 6 to 9.
    Variant: depth 2, with a carry gate of its own in each layer; the input enters the first layer only.
    Not: the coupled form of the paper's experiments, in which the carry gate is 1 - the transform gate.

        n_t = tanh(W_n x_t + U_n h_{t-1} + b_n)       candidate of layer 1
        g_t = sigmoid(W_g x_t + U_g h_{t-1} + b_g)    transform gate of layer 1
        k_t = sigmoid(W_k x_t + U_k h_{t-1} + b_k)    carry gate of layer 1
        s_t = n_t * g_t + h_{t-1} * k_t               layer 1
        m_t = tanh(V_n s_t + d_n)                     candidate of layer 2
        q_t = sigmoid(V_g s_t + d_g)                  transform gate of layer 2
        r_t = sigmoid(V_k s_t + d_k)                  carry gate of layer 2
        h_t = m_t * q_t + s_t * r_t                   state

    Symbols: W input weights; U recurrent weights; b biases of the first layer; V weights of the second layer; d
        biases of the second layer.
    """
    n = tanh(W_n @ x + U_n @ h + b_n)
    g = sigmoid(W_g @ x + U_g @ h + b_g)
    k = sigmoid(W_k @ x + U_k @ h + b_k)
    s = n * g + h * k
    m = tanh(V_n @ s + d_n)
    q = sigmoid(V_g @ s + d_g)
    r = sigmoid(V_k @ s + d_k)
    h = m * q + s * r
    return h


@family.cell
def cfn(x, h, *, V_f, U_f, b_f, V_i, U_i, b_i, W):
    """Chaos free network (CFN).

    Source: Laurent & von Brecht (2017), "A Recurrent Neural Network without Chaos", arXiv:1612.06212, section 1.
    Variant: one layer; the state enters through tanh and without a matrix of its own.
    Not: an LSTM with its gates: there is no memory beside h, and no candidate sees h.

        f_t = sigmoid(U_f h_{t-1} + V_f x_t + b_f)       forget gate
        i_t = sigmoid(U_i h_{t-1} + V_i x_t + b_i)       input gate
        h_t = f_t * tanh(h_{t-1}) + i_t * tanh(W x_t)    state

    Symbols: V input weights of the gates; U recurrent weights of the gates; b biases; W input weights.
    """
    f = sigmoid(U_f @ h + V_f @ x + b_f)
    i = sigmoid(U_i @ h + V_i @ x + b_i)
    h = f * tanh(h) + i * tanh(W @ x)
    return h


@family.cell
def janet(x, h, *, W_f, U_f, b_f, W_n, U_n, b_n, beta=1):
    """Just another network (JANET): an LSTM with nothing but the forget gate.

    Source: van der Westhuizen & Lasenby (2018), "The Unreasonable Effectiveness of the Forget Gate",
        arXiv:1804.04849, section 3.
    Variant: the input gate is coupled to the forget gate with an offset beta, 1 in the paper; memory and output are
        one state.
    Not: the UGRNN, which is this cell for beta = 0; the CIFG LSTM, which keeps the output gate.

        s_t = W_f x_t + U_f h_{t-1} + b_f                               pre-activation of the forget gate
        n_t = tanh(W_n x_t + U_n h_{t-1} + b_n)                         candidate
        h_t = sigmoid(s_t) * h_{t-1} + (1 - sigmoid(s_t - beta)) * n_t    state

    Symbols: W input weights; U recurrent weights; b biases; beta offset between forgetting and writing, a
        constant.
    """
    s = W_f @ x + U_f @ h + b_f
    n = tanh(W_n @ x + U_n @ h + b_n)
    h = sigmoid(s) * h + (1 - sigmoid(s - beta)) * n
    return h

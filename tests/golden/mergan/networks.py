"""Topic `networks`: what generators and critics make of given inputs."""

import re

import numpy as np
import tensorflow as tf

from tests.golden.mergan import common


def compare(case):
    return case.outputs(_outputs(case))


def _outputs(case) -> dict:
    networks, noise, labels = case.networks(), case.input("noise"), case.labels()
    judge, generate = tf.function(networks.critic), tf.function(networks.generator)
    real, fake = judge(common.to_nhwc(case.input("x"), case.data)), generate(noise, labels)
    judged = judge(fake)
    outputs = {"G_new": common.to_rows(fake), "G_old": common.to_rows(networks.replay(noise, labels)),
               "D_x": real.score, "ACGAN_x": real.logits, "D_G_new": judged.score, "ACGAN_G_new": judged.logits}
    for key in case.document["tensors"]:
        if match := re.fullmatch(rf"{re.escape(case.name)}/(G_new_all_label_(\d+))", key):
            outputs[match[1]] = common.to_rows(generate(noise, np.full_like(labels, int(match[2]))))
    return outputs
